"""Filters as the page shows them: chips of those in force, and what each of the others may be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from ...models import Prompt, Status
from .. import choices
from .asked import FILTERS, MANY, Asked

LABELS: Final = {
    "status": _("Status"),
    "label": _("Label"),
    "tag": _("Tag"),
    "folder": _("Folder"),
    "language": _("Language"),
    "owner": _("Owner"),
    "score": _("Score"),
}
_SCORES: Final = ("0.5", "0.6", "0.7", "0.8", "0.9", "0.95")
_CHOICES: Final[dict[str, Callable[[], list[str]]]] = {
    "status": lambda: list(Status.values),
    "label": choices.labels,
    "tag": choices.tags,
    "folder": choices.folders,
    "language": choices.languages,
    "owner": choices.owners,
    "score": lambda: list(_SCORES),
}


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the same search without it."""

    name: str
    label: Any
    value: str
    address: str


def chips(asked: Asked) -> list[Chip]:
    return [
        Chip(name, LABELS[name], _shown(name, value), asked.without_filter(name, value).address)
        for name, value in asked.filters
    ]


def like_chip(asked: Asked) -> Chip | None:
    if not asked.like:
        return None
    prompt = Prompt.objects.by_ref(asked.like)
    title = prompt.title if prompt else asked.like[:60]
    return Chip("like", _("Like"), title, asked.but(like="").address)


def offered(asked: Asked) -> list[tuple[str, Any]]:
    """The filters that may be added: name and label."""
    return [(name, LABELS[name]) for name in FILTERS if name in MANY or not asked.values(name)]


def pick(request: HttpRequest, asked: Asked, name: str) -> HttpResponse:
    """The values of one filter, each the address of the search with it. Asked for when somebody looks."""
    there = asked.values(name)
    values = [value for value in _CHOICES[name]() if value not in there]
    context = {
        "name": name,
        "label": LABELS[name],
        "values": [(_shown(name, value), asked.with_filter(name, value).address) for value in values],
        "may_be_other": name != "status",
    }
    return TemplateResponse(request, "admin/search/picker.html", context)


def _shown(name: str, value: str) -> str:
    if name == "status" and value in Status.values:
        return str(Status(value).label)
    if name == "score":
        try:
            return f"≥ {number_format(float(value))}"
        except ValueError:
            return f"≥ {value}"
    return value
