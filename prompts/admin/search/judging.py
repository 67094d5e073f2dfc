"""Judge a result by one click: what relevance is measured with (`evaluate_search`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from vectors import store
from vectors.errors import CollectionNotFound, InvalidQuery, VectorError, shown
from vectors.models import Collection
from vectors.relevance import judging
from vectors.relevance.models import Judgement

from ...indexing import COLLECTION
from ...models import Prompt
from .asked import Asked

ADD: Final = "vectors.add_judgement"
CHANGE: Final = "vectors.change_judgement"
# The best first. A grade from elsewhere is shown as the best of these that it reaches.
GRADES: Final = {"good": 2, "partly": 1, "no": 0}
LABELS: Final = {"good": _("Good"), "partly": _("Partly"), "no": _("No")}
_KEYS: Final = {"good": "1", "partly": "2", "no": "3"}


@dataclass(frozen=True)
class Verdict:
    """What has been judged of one result of a query; ``by`` is the other person who did, else empty."""

    query: str
    key: str
    address: str
    given: str = ""
    by: str = ""
    is_own: bool = False
    may_change: bool = True

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "label": label, "key": _KEYS[name], "is_given": name == self.given}
            for name, label in LABELS.items()
        ]


def may_judge(request: HttpRequest, asked: Asked) -> bool:
    """A query that was searched for as it stands: what is like a prompt was not found by the query alone."""
    is_query = bool(asked.query) and not asked.like and len(asked.query) <= judging.MAX_QUERY
    return is_query and request.user.has_perm(ADD)


def verdicts(request: HttpRequest, asked: Asked, keys: Sequence[str]) -> dict[str, Verdict]:
    """By key of a result; empty for whoever may not judge."""
    if not keys or not may_judge(request, asked):
        return {}
    there = judging.judgements_of(_collection(), asked.query, keys)
    return {key: _verdict(request, asked, key, there.get(key)) for key in keys}


def judge_page(request: HttpRequest) -> HttpResponse:
    """Takes the buttons: another grade is the new one, the same grade again takes the own one back."""
    if not request.user.has_perm("prompts.view_prompt") or not request.user.has_perm(ADD):
        raise PermissionDenied
    answer: HttpResponse = _judge(request)
    return answer


@require_POST
def _judge(request: HttpRequest) -> HttpResponse:
    asked = Asked.of(QueryDict(request.POST.get("address", "").removeprefix("?")))
    key = request.POST.get("key", "")
    context: dict[str, Any] = {}
    status = 200
    try:
        there = _apply(request, asked.query, key, request.POST.get("grade", ""))
        context["verdict"] = _verdict(request, asked, key, there)
    except VectorError as error:
        context["error"], status = error, 400
    if status == 200 and "HX-Request" not in request.headers:
        return HttpResponseRedirect(reverse("admin:search") + asked.address)
    return TemplateResponse(request, "admin/search/judgement.html", context, status=status)


def _apply(request: HttpRequest, query: str, key: str, name: str) -> Judgement | None:
    """The judgement that is there afterwards."""
    if name not in GRADES:
        raise InvalidQuery("grade", ", ".join(GRADES), shown(name))
    if Prompt.objects.by_ref(key) is None or len(key) != 32:
        raise InvalidQuery("key", "the id of a prompt", shown(key))
    collection, user = _collection(), request.user.get_username()
    there = judging.judgements_of(collection, query, [key]).get(key)
    if there and _name_of(there.grade) == name and there.created_by == user:
        judging.take_back(collection, query, key, by=user)
        return None
    if there and there.created_by != user and not request.user.has_perm(CHANGE):
        raise PermissionDenied
    return judging.judge(collection, query, key, GRADES[name], by=user)


def _verdict(request: HttpRequest, asked: Asked, key: str, there: Judgement | None) -> Verdict:
    if there is None:
        return Verdict(asked.query, key, asked.address)
    is_own = there.created_by == request.user.get_username()
    return Verdict(
        asked.query,
        key,
        asked.address,
        given=_name_of(there.grade),
        by="" if is_own else there.created_by or there.get_source_display(),
        is_own=is_own,
        may_change=is_own or request.user.has_perm(CHANGE),
    )


def _name_of(grade: int) -> str:
    return next(name for name, least in GRADES.items() if grade >= least)


def _collection() -> Collection:
    try:
        return store.get_collection(COLLECTION)
    except CollectionNotFound as error:
        hint = "Run embed_prompts."
        raise InvalidQuery("key", "a prompt in the search index", "no index", hint) from error
