"""Which version brought each line of a prompt, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models.functions import Length

from .diffs import Block, Matcher, split_lines
from .errors import NotThere, RegistryProblem
from .models import Prompt, PromptVersion

_MAX_LENGTH: Final = 20_000_000  # characters of all versions that are looked at
MAX_LINES: Final = 20_000
_TIMES: Final = 10  # comparisons of two texts, in time


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its end, numbered from 1, and the version that it came with."""

    number: int
    text: str
    version: int
    author: str | None
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Blame:
    """``is_complete`` is false where the history is so long that its beginning was not looked at: then what
    is older counts as brought by the oldest version that was. So it is where passages were too repetitive to
    be matched: they count as brought anew.
    """

    version: int
    lines: list[Line]
    is_complete: bool


def blame(prompt: Prompt, number: int) -> Blame:
    """The lines of the version `number`, of a chat those of its transcript. Raises ``NotThere``, or another
    ``RegistryProblem`` for more than ``MAX_LINES``.
    """
    versions = prompt.versions.kept().filter(version__lte=number).order_by("-version")
    sizes = list(versions.annotate(size=Length("content")).values_list("version", "size"))
    if not sizes or sizes[0][0] != number:
        raise NotThere("version", f"a version of {prompt.name}", str(number))
    oldest, total = number, 0
    for version, size in sizes:
        total += size
        if total > _MAX_LENGTH and version != number:
            break
        oldest = version
    history = versions.filter(version__gte=oldest).select_related("author").order_by("version")
    lines: list[str] = []
    owners: list[PromptVersion] = []
    matcher = Matcher(_TIMES)
    for one in history.iterator(chunk_size=50):
        after = split_lines(one.text_of(prompt.type))
        owners = _carried(matcher.blocks(lines, after), len(after), owners, one)
        lines = after
        one.content = ""  # what it brought is in the lines now
    if len(lines) > MAX_LINES:
        raise RegistryProblem("version", f"a version of at most {MAX_LINES:,} lines", f"{len(lines):,}")
    told = list(map(_line, range(1, len(lines) + 1), lines, owners))
    return Blame(number, told, oldest == sizes[-1][0] and matcher.is_complete)


def _carried(
    same: Iterable[Block], count: int, owners: Sequence[PromptVersion], version: PromptVersion
) -> list[PromptVersion]:
    carried = [version] * count
    for start, at, size in same:
        carried[at : at + size] = owners[start : start + size]
    return carried


def _line(number: int, text: str, owner: PromptVersion) -> Line:
    author = owner.author.username if owner.author else None
    return Line(number, text, owner.version, author, owner.message, owner.created_at)
