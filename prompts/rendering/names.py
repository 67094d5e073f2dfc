"""Names that templates use, and text that they may hold."""

import re
from collections import Counter
from typing import Any, Final

from .errors import TemplateProblem

# Letters of any language: Japanese prompts have Japanese variables.
NAME: Final = re.compile(r"[^\W\d][\w.-]{0,63}")
_VARIABLE: Final = re.compile(rf"\{{\{{\s*({NAME.pattern})\s*\}}\}}")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def variables(text: str) -> list[str]:
    """Names of the variables of a simple template, in order, each once: ``{{name}}``, spaces allowed."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def count(text: str) -> Counter[str]:
    """How often each variable is used."""
    return Counter(_VARIABLE.findall(text))


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
