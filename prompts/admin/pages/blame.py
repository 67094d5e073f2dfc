"""Which version brought each line of a prompt, by whom and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ... import blame
from ...errors import RegistryProblem
from ...models import Prompt
from ..differences import OFFERED, number_of, offered
from ..display import diff_url
from .base import render

MOST_LINES = 2_000
AGES = 5  # shades


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines one after the other that came with the same version; ``age`` is 0 for the newest, up to 4."""

    version: int
    lines: list[blame.Line]
    age: int
    url: str

    @property
    def first(self) -> blame.Line:
        return self.lines[0]


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    number = number_of(request.GET.get("version"), prompt.version)
    versions = offered(prompt)
    context: dict[str, Any] = {
        "title": _("Who wrote which line"),
        "versions": versions,
        "number": number,
        "is_many": len(versions) == OFFERED,
    }
    status = 200
    try:
        found = blame.blame(prompt, number)
    except RegistryProblem as problem:
        context["problem"], status = problem.sentence, 404
    else:
        lines = found.lines[:MOST_LINES]
        context |= {
            "passages": list(_passages(prompt, lines)),
            "is_complete": found.is_complete,
            "left_out": len(found.lines) - len(lines),
        }
    return render(model_admin, request, prompt, "blame", context, status=status)


def _passages(prompt: Prompt, lines: list[blame.Line]) -> Iterator[Passage]:
    versions = sorted({line.version for line in lines}, reverse=True)
    ages = {version: at * AGES // len(versions) for at, version in enumerate(versions)}
    before = _versions_before(prompt, versions)
    for version, group in groupby(lines, key=lambda line: line.version):
        url = diff_url(prompt.pk, before.get(version, version), version)
        yield Passage(version, list(group), ages[version], url)


def _versions_before(prompt: Prompt, versions: list[int]) -> dict[int, int]:
    """By number, that of the kept version before it; the first has none."""
    if not versions:
        return {}
    numbers = prompt.versions.kept().filter(version__lte=versions[0]).order_by("version")
    kept = list(numbers.values_list("version", flat=True))
    return dict(zip(kept[1:], kept, strict=False))
