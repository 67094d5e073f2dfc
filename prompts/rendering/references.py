"""Composition: the tags by which a prompt includes another.

``@@@prompt:name=N|label=L@@@`` or ``…|version=V@@@``; Langfuse's ``@@@langfusePrompt:…@@@`` means the same.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .errors import TemplateProblem

MARK: Final = "@@@"
_TAG: Final = re.compile(r"@@@(?:langfusePrompt|prompt):(.*?)@@@", re.DOTALL)
_INNER: Final = re.compile(r"name=([^|\n]{1,255})\|(?:label=([a-z0-9_.-]{1,36})|version=([1-9][0-9]{0,8}))")
_WANTED: Final = "@@@prompt:name=NAME|label=LABEL@@@ or …|version=NUMBER@@@"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """Another prompt by its name, and its version by number, or by a label where that is 0."""

    name: str
    label: str = ""
    version: int = 0

    def __str__(self) -> str:
        return f"{self.name} ({f'version {self.version}' if self.version else self.label})"


def references(text: str, field: str = "content") -> list[Reference]:
    """What the text includes, in order, each once. Raises ``TemplateProblem`` for a tag that is none."""
    if MARK not in text:
        return []
    return list(dict.fromkeys(_parse(found, field) for found in dict.fromkeys(_TAG.findall(text))))


def replace(text: str, content_of: Callable[[Reference], str], field: str = "content") -> str:
    """The text with each tag replaced; what comes in its place is not looked at again."""
    if MARK not in text:
        return text
    return _TAG.sub(lambda found: content_of(_parse(found[1], field)), text)


def count(text: str) -> Counter[Reference]:
    """How often the text includes what, in order."""
    tags = Counter(_TAG.findall(text))
    counted: Counter[Reference] = Counter()
    for inner, times in tags.items():
        counted[_parse(inner, "content")] += times
    return counted


def whole(text: str) -> Reference | None:
    """The reference, where the text is a tag and nothing else: there a chat prompt may stand."""
    found = _TAG.fullmatch(text.strip())
    return _parse(found[1], "content") if found and MARK not in found[1] else None


def of_contents(contents: Sequence[str], field: str = "content") -> list[Reference]:
    """What several texts include, such as the messages of a chat prompt."""
    return list(dict.fromkeys(one for content in contents for one in references(content, field)))


def _parse(inner: str, field: str) -> Reference:
    found = _INNER.fullmatch(inner)
    if not found:
        raise TemplateProblem(field, _WANTED, repr(f"@@@…:{inner[:100]}@@@"))
    name, label, version = found.groups()
    return Reference(name, label or "", int(version or 0))
