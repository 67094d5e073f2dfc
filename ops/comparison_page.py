"""The console's page that compares two environments, and merges prompts of the left one into the right one.

What it shows at once is bounded, whatever the environments hold: so many prompts, so much text of theirs.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from prompts import diffs
from prompts.comparing import Difference
from prompts.database_pairs import MergeProblem
from prompts.merge_results import MergeConflict, MergeResult
from prompts.merge_steps import Conflict
from prompts.models import Prompt, User
from prompts.unified_diff import count_changes

from .admin_log import log
from .environments import current
from .environments.base import EnvironmentProblem
from .environments.details import Detail, Place, list_places
from .environments.pairs import Pair, opened_pair

PROMPTS = 50  # a page
_OPENED = 5  # so few prompts are shown unfolded
_LENGTH = 200_000  # characters of contents a page
_ROWS = 2_000  # of diffs a page
_SECONDS = 5.0  # in which diffs are begun
_VALUE = 2_000  # characters of a field, where there are other prompts beside it
_MERGED = 200  # prompts named in a preview
_HUNKS = 500_000  # characters of conflicts
_NAMED = 10  # prompts in the log


@dataclass(frozen=True)
class Content:
    """What both sides' contents look like beside each other."""

    diff: diffs.Diff
    rows: list[diffs.Row | diffs.Fold]
    added: int
    removed: int


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


def show(site: AdminSite, request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("ops.view_environment"):
        raise PermissionDenied
    if request.method == "POST" and not request.user.has_perm("ops.change_environment"):
        raise PermissionDenied
    left, right = (request.GET.get(side, "").strip() for side in ("left", "right"))
    context: dict[str, Any] = {"title": "Compare environments", "left": left, "right": right}
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
    context = site.each_context(request) | context
    return TemplateResponse(request, "admin/ops/compare.html", context, status=status)


def _act(request: HttpRequest, pair: Pair, names: list[str] | None) -> HttpResponse | dict[str, Any]:
    """Preview a merge, or merge; what the page has to say where nothing was written."""
    form = request.POST
    is_preview = form.get("action") == "preview"
    answer: dict[str, Any] = {"form": form}
    try:
        if form.get("which") != "all":
            names = _texts(form.getlist("prompt"))
            if not names:
                raise EnvironmentProblem("Nothing was merged: choose a prompt at least.")
        if not is_preview and form.get("confirmation", "").strip() != pair.right:
            raise EnvironmentProblem(f"Nothing was merged: type {pair.right} into the field to confirm.")
        [message] = _texts([form.get("message", "").strip()])
        result = pair.merge(
            names,
            resolve=form.get("resolve") or None,  # type: ignore[arg-type]  # it is checked there
            author=request.user if isinstance(request.user, User) else None,
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
        return answer | {"refusal": f"{pair.right} is frozen, nothing was merged: {reason}", "status": 423}
    if is_preview:
        return answer | _result(result)
    _tell(request, result)
    return HttpResponseRedirect(request.get_full_path())


def _tell(request: HttpRequest, result: MergeResult) -> None:
    count = len(result.prompts)
    if not count:
        messages.info(request, f"{result.source} has nothing that {result.target} lacks: nothing was merged.")
        return
    done = f"{count:,} prompt{pluralize(count)} came from {result.source} to {result.target}."
    named = ", ".join(one.name for one in result.prompts[:_NAMED])
    log(request, result.target, CHANGE, f"{done} {named}{', …' if count > _NAMED else ''}", "merged")
    messages.success(request, done)


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
    ticked = request.POST.getlist("prompt") if request.method == "POST" else None
    return {
        "comparison": found,
        "names": names,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "entries": _entries(pair, details, ticked, is_alone),
        "is_open": len(page) <= _OPENED,
    }


def _entries(
    pair: Pair, details: list[tuple[Place, Detail, bool]], ticked: list[str] | None, is_alone: bool
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
            )
        )
    return entries


def _content(detail: Detail, limit: int) -> Content | None:
    if detail.left is None or detail.right is None or detail.left.content == detail.right.content:
        return None
    diff = detail.diff
    added, removed = count_changes(diff.rows)
    return Content(diff, diffs.fold(diff.rows, limit=limit), added, removed)


def _facts(pair: Pair, place: Place) -> Iterator[str]:
    difference: Difference | None = place.difference
    if difference is None:
        yield f"only in {pair.left if place.left_id else pair.right}"
        return
    if difference.differing:
        yield f"{', '.join(difference.differing)} differ{'s' if len(difference.differing) == 1 else ''}"
    else:
        yield "the same now"
    for name, versions in ((pair.left, difference.only_left), (pair.right, difference.only_right)):
        if versions:
            yield f"{len(versions)} version{pluralize(len(versions))} more in {name}"
    if difference.common is None:
        yield "no common version"


def _shown(value: Any, length: int | None) -> str:
    indent = 1 if isinstance(value, dict) else None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)
    return text if length is None or len(text) <= length else f"{text[:length]}…"


def _texts(texts: list[str]) -> list[str]:
    """Texts that a database can be asked for, or keep."""
    if any("\0" in text for text in texts):
        raise EnvironmentProblem("Expected text without NUL characters.")
    return texts
