"""The console's page that compares two environments, and merges prompts of the left one into the right one.

What it shows at once is bounded, whatever the environments hold: so many prompts, so much text of theirs.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from prompts import diffs
from prompts.comparing import Difference
from prompts.database_pairs import MergeProblem
from prompts.merge_results import MergeConflict, MergeResult
from prompts.merge_steps import Conflict
from prompts.models import Prompt
from prompts.unified_diff import count_changes
from vectors.admin.display import link

from .admin_log import log
from .console import actor
from .environments import current
from .environments.base import EnvironmentProblem
from .environments.details import Detail, Labels, Place, list_places
from .environments.pairs import Pair, opened_pair

logger = logging.getLogger(__name__)
PROMPTS = 50  # a page
_OPENED = 5  # so few prompts are shown unfolded
_LENGTH = 200_000  # characters of contents a page
_ROWS = 2_000  # of diffs a page
_SECONDS = 5.0  # in which diffs are begun
_VALUE = 2_000  # characters of a field, where there are other prompts beside it
_MERGED = 200  # prompts named in a preview
_HUNKS = 500_000  # characters of conflicts
_NAMED = 10  # prompts in the log and in the summary
# What the database says of a file that is not whole.
_DAMAGED = ("malformed", "not a database", "utf-8", "corrupt")


@dataclass(frozen=True)
class Content:
    """What both sides' contents look like beside each other."""

    diff: diffs.Diff
    rows: list[diffs.Row | diffs.Fold]
    added: int
    removed: int


@dataclass(frozen=True)
class Label:
    """Where a label stands; ``differs``: elsewhere or not at all on the other side."""

    name: str
    version: int
    differs: bool


@dataclass(frozen=True)
class Entry:
    """One prompt as the page shows it. ``key`` is the name it has in the left environment, empty where it is
    not there; what is too much to be shown beside others has neither ``content`` nor ``text``.
    """

    key: str
    name: str
    left: Prompt | None
    right: Prompt | None
    facts: list[str]
    fields: list[tuple[str, str, str]]
    content: Content | None = None
    text: str = ""  # of a prompt that one side has only
    is_whole: bool = True
    is_ticked: bool = True
    left_labels: list[Label] = field(default_factory=list)
    right_labels: list[Label] = field(default_factory=list)


def show(site: AdminSite, request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("ops.view_environment"):
        raise PermissionDenied
    if request.method == "POST" and not request.user.has_perm("ops.change_environment"):
        raise PermissionDenied
    left, right = (request.GET.get(side, "").strip() for side in ("left", "right"))
    context: dict[str, Any] = {"title": gettext("Compare environments"), "left": left, "right": right}
    status = 200
    try:
        provider = current.get_provider()
        context["environments"] = provider.list()
        if left and right:
            names = _texts(request.GET.getlist("prompt")) or None
            with opened_pair(provider, left, right) as pair:
                answer = _act(request, pair, names) if request.method == "POST" else {}
                if isinstance(answer, HttpResponse):
                    return answer
                context |= answer
                status = answer.get("status", 200)
                context |= _compare(request, pair, names)
    except (EnvironmentProblem, MergeProblem) as problem:
        context["problem"], status = str(problem), 400
    except BaseException as error:
        if not _is_damage(error):
            raise
        logger.warning("%s and %s could not be compared: %s", left, right, type(error).__name__)
        context["problem"], status = _said_of_damage(left, right), 500
    context = site.each_context(request) | context
    return TemplateResponse(request, "admin/ops/compare.html", context, status=status)


def _is_damage(error: BaseException) -> bool:
    """Whether a database is not whole: what is torn makes the binding panic, by an error of its own kind."""
    if type(error).__name__ == "PanicException":
        return True
    text = str(error).lower()
    return isinstance(error, DatabaseError) and any(sign in text for sign in _DAMAGED)


def _said_of_damage(left: str, right: str) -> str:
    said = gettext(
        "%(left)s or %(right)s is damaged and cannot be read to its end. "
        "“manage.py doctor --deep” in each says which; docs/operations.md says what to do."
    )
    return said % {"left": left, "right": right}


def _act(request: HttpRequest, pair: Pair, names: list[str] | None) -> HttpResponse | dict[str, Any]:
    """Preview a merge, or merge; what the page has to say where nothing was written."""
    form = request.POST
    is_preview = form.get("action") == "preview"
    answer: dict[str, Any] = {"form": form}
    try:
        if form.get("which") != "all":
            names = _texts(form.getlist("prompt"))
            if not names:
                raise EnvironmentProblem(gettext("Nothing was merged: choose a prompt at least."))
        if not is_preview and form.get("confirmation", "").strip() != pair.right:
            said = gettext("Nothing was merged: type %(name)s into the field to confirm.")
            raise EnvironmentProblem(said % {"name": pair.right})
        [message] = _texts([form.get("message", "").strip()])
        result = pair.merge(
            names,
            resolve=form.get("resolve") or None,  # type: ignore[arg-type]  # it is checked there
            author=actor(request),
            dry_run=is_preview,
            message=message,
        )
    except MergeConflict as conflict:
        return answer | _result(conflict.result) | {"status": 409}
    except (EnvironmentProblem, MergeProblem) as problem:
        return answer | {"refusal": str(problem), "status": 400}
    except OperationalError as error:
        if not (reason := getattr(error, "reason", "")):
            raise
        said = gettext("%(name)s is frozen, nothing was merged: %(reason)s")
        return answer | {"refusal": said % {"name": pair.right, "reason": reason}, "status": 423}
    if is_preview:
        return answer | _result(result)
    _tell(request, result)
    return HttpResponseRedirect(request.get_full_path())


def _tell(request: HttpRequest, result: MergeResult) -> None:
    count = len(result.prompts)
    names = {"source": result.source, "target": result.target}
    if not count:
        said = gettext("%(source)s has nothing that %(target)s lacks: nothing was merged.")
        messages.info(request, said % names)
        return
    named = ", ".join(one.name for one in result.prompts[:_NAMED])
    done = f"{count:,} prompt{pluralize(count)} came from {result.source} to {result.target}."
    log(request, result.target, CHANGE, f"{done} {named}{', …' if count > _NAMED else ''}", "merged")
    said = ngettext(
        "%(count)d prompt came from %(source)s to %(target)s.",
        "%(count)d prompts came from %(source)s to %(target)s.",
        count,
    )
    messages.success(request, format_html("{} {}", said % {"count": count, **names}, _links(request, result)))


def _links(request: HttpRequest, result: MergeResult) -> SafeString:
    """To what was merged: its pages, where this console works on them."""
    shown = result.prompts[:_NAMED]
    is_here = result.target == current.get_provider().current and request.user.has_perm("prompts.view_prompt")
    more = gettext(", and %(count)d more") % {"count": len(result.prompts) - _NAMED}
    names = [
        link(reverse("admin:prompts_prompt_change", args=[one.id]), one.name) if is_here else one.name
        for one in shown
    ]
    listed = format_html_join(", ", "{}", ((name,) for name in names))
    return format_html("{}{}", listed, more if len(result.prompts) > _NAMED else "")


def _result(result: MergeResult) -> dict[str, Any]:
    conflicts = list(_short(result.conflicts))
    return {
        "result": result,
        "merged": result.prompts[:_MERGED],
        "more_merged": len(result.prompts[_MERGED:]),
        "conflicts": conflicts,
        "more_conflicts": len(result.conflicts) - len(conflicts),
    }


def _short(conflicts: Sequence[Conflict]) -> Iterator[Conflict]:
    rest = _HUNKS
    for number, conflict in enumerate(conflicts):
        rest -= len(conflict.text)
        if number and rest < 0:
            return
        yield conflict


def _compare(request: HttpRequest, pair: Pair, names: list[str] | None) -> dict[str, Any]:
    found = pair.compare(names)
    places = list_places(found)
    page = Paginator(places, PROMPTS).get_page(request.GET.get("page"))
    is_alone = len(places) == 1
    details = pair.read_page(list(page), None if is_alone else _LENGTH)
    labels = pair.read_labels(list(page))
    ticked = request.POST.getlist("prompt") if request.method == "POST" else None
    return {
        "comparison": found,
        "names": names,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "entries": _entries(pair, details, labels, ticked, is_alone),
        "is_open": len(page) <= _OPENED,
    }


def _entries(
    pair: Pair,
    details: list[tuple[Place, Detail, bool]],
    labels: tuple[Labels, Labels],
    ticked: list[str] | None,
    is_alone: bool,
) -> list[Entry]:
    rows, until = _ROWS, monotonic() + _SECONDS
    length = None if is_alone else _VALUE
    entries: list[Entry] = []
    for place, detail, is_read in details:
        key = place.difference.left.name if place.difference else place.name * bool(place.left_id)
        is_shown = is_alone or (is_read and rows > 0 and monotonic() < until)
        content = _content(detail, rows) if is_shown else None
        rows -= len(content.rows) if content else 0
        single = detail.left or detail.right if detail.left is None or detail.right is None else None
        entries.append(
            Entry(
                key=key,
                name=place.name if key in ("", place.name) else f"{key} → {place.name}",
                left=detail.left,
                right=detail.right,
                facts=list(_facts(pair, place)),
                fields=[
                    (name, _shown(left, length), _shown(right, length))
                    for name, (left, right) in detail.fields.items()
                ],
                content=content,
                text=single.content if single and is_shown else "",
                is_whole=is_shown,
                is_ticked=ticked is None or key in ticked,
                left_labels=_labels(labels[0].get(place.left_id, {}), labels[1].get(place.right_id, {})),
                right_labels=_labels(labels[1].get(place.right_id, {}), labels[0].get(place.left_id, {})),
            )
        )
    return entries


def _labels(own: dict[str, int], others: dict[str, int]) -> list[Label]:
    return [Label(name, version, others.get(name) != version) for name, version in own.items()]


def _content(detail: Detail, limit: int) -> Content | None:
    if detail.left is None or detail.right is None or detail.left.content == detail.right.content:
        return None
    diff = detail.diff
    added, removed = count_changes(diff.rows)
    return Content(diff, diffs.fold(diff.rows, limit=limit), added, removed)


def _facts(pair: Pair, place: Place) -> Iterator[str]:
    difference: Difference | None = place.difference
    if difference is None:
        yield gettext("only in %(name)s") % {"name": pair.left if place.left_id else pair.right}
        return
    if count := len(difference.differing):
        fields = ", ".join(difference.differing)
        yield ngettext("%(fields)s differs", "%(fields)s differ", count) % {"fields": fields}
    else:
        yield gettext("the same now")
    for name, versions in ((pair.left, difference.only_left), (pair.right, difference.only_right)):
        if count := len(versions):
            said = ngettext(
                "%(count)d version more in %(name)s", "%(count)d versions more in %(name)s", count
            )
            yield said % {"count": count, "name": name}
    if difference.common is None:
        yield gettext("no common version")


def _shown(value: Any, length: int | None) -> str:
    indent = 1 if isinstance(value, dict) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)
    return text if length is None or len(text) <= length else f"{text[:length]}…"


def _texts(texts: list[str]) -> list[str]:
    """Texts that a database can be asked for, or keep."""
    if any("\0" in text for text in texts):
        raise EnvironmentProblem("Expected text without NUL characters.")
    return texts
