"""Names that templates use, and text that they may hold."""

import re
from collections import Counter
from itertools import islice
from typing import Any, Final

from .errors import TemplateProblem

# Letters of any language: Japanese prompts have Japanese variables.
NAME: Final = re.compile(r"[^\W\d][\w.-]{0,63}")
_VARIABLE: Final = re.compile(rf"\{{\{{\s*({NAME.pattern})\s*\}}\}}")
# Two braces and a word, which people take for a variable, whether it is one or not; and what lacks a brace.
_MEANT: Final = re.compile(r"\{\{[ \t]*[^\W\d][^{}\n]{0,80}\}{0,2}|(?<!\{)\{[^\W\d][\w.-]{0,63}\}\}(?!\})")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def variables(text: str) -> list[str]:
    """Names of the variables of a simple template, in order, each once: ``{{name}}``, spaces allowed."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def count(text: str) -> Counter[str]:
    """How often each variable is used."""
    return Counter(_VARIABLE.findall(text))


def doubtful(text: str, limit: int) -> list[tuple[int, str]]:
    """Line and text of what looks like a variable of a simple template and is none, such as ``{{a b}}`` and
    ``{{name}``: the first `limit` of them. It stands in the prompt as it is written, hardly as it was meant.
    """
    found = (one for one in _MEANT.finditer(text) if not _VARIABLE.match(text, one.start()))
    return [(text.count("\n", 0, one.start()) + 1, one[0]) for one in islice(found, limit)]


def substitute(text: str, values: dict[str, str]) -> str:
    """The text with values in place of the variables that have one. Values are not looked at again: what a
    user typed is never a template.
    """
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def check_text(value: Any, field: str, maximum: int) -> str:
    """`value` if it is text that can be stored and sent. Raises ``TemplateProblem``."""
    if not isinstance(value, str):
        raise TemplateProblem(field, "text", "nothing" if value is None else type(value).__name__)
    if len(value) > maximum:
        raise TemplateProblem(field, f"at most {maximum:,} characters", f"{len(value):,}")
    if found := _UNSTORABLE.search(value):
        what = "NUL" if found[0] == "\0" else f"the lone surrogate U+{ord(found[0]):04X}"
        raise TemplateProblem(
            field, "text without NUL and lone surrogates", f"{what} at character {found.start()}"
        )
    return value
