"""Search over prompts, as the command, the API and the console show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, QuerySet

from vectors.errors import CollectionNotFound, InvalidQuery, shown
from vectors.search import SearchResult, search
from vectors.similar import search_similar
from vectors.snippets import Snippet, snippet
from vectors.validation import check_text

from .indexing import COLLECTION, get_collection
from .models import Evaluation, Prompt, Status, User

# What a result shows.
FIELDS = ("name", "title", "content", "version", "status", "language", "tags", "user")
_MAX_NAME = 255


@dataclass(frozen=True)
class PromptHit:
    """One result, best first; ``distance`` is 0 for the nearest and None where only words were compared.

    Fields of ``prompt`` other than ``FIELDS`` are deferred.
    """

    prompt: Prompt
    snippet: Snippet
    distance: float | None
    score: float
    ranks: dict[str, int | None]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.prompt.pk,
            "name": self.prompt.name,
            "title": self.prompt.title,
            "status": self.prompt.status,
            "language": self.prompt.language,
            "version": self.prompt.version,
            "tags": self.prompt.tags,
            "snippet": self.snippet.text,
            "content": self.prompt.content,
            "distance": self.distance,
            "score": self.score,
            "ranks": self.ranks,
        }


@dataclass(frozen=True)
class PromptSearch:
    query: str
    mode: str
    k: int
    took_ms: float
    plan: dict[str, Any]
    results: list[PromptHit]

    def as_json(self) -> dict[str, Any]:
        return {
            "query": self.query,
            "mode": self.mode,
            "k": self.k,
            "took_ms": self.took_ms,
            "results": [hit.as_json() for hit in self.results],
            "plan": self.plan,
        }


def search_prompts(
    query: str | None,
    *,
    k: int = 10,
    mode: str = "hybrid",
    status: str | None = None,
    tag: str | Sequence[str] | None = None,
    language: str | None = None,
    folder: str | None = None,
    label: str | None = None,
    owner: str | None = None,
    score: float | None = None,
    like: str | None = None,
    using: str | None = None,
) -> PromptSearch:
    """The best `k` prompts (1…1,000) for a query, restricted by exact values where given; in one statement.

    Of several tags a prompt has all. `owner` is a user name; of one that nobody has there are no prompts.
    `label` is one that the prompt has, and `score` from 0 to 1 what its best evaluation has at least: these
    two are asked of their own tables, not of the index. `like`, the id of a prompt, searches by what that one
    means instead of the query, of which then only the words count, and which may be None; the prompt itself
    is no result.

    Raises ``vectors.errors.VectorError`` naming the wrong argument, or ``EmbedderError``.
    """
    arguments: dict[str, Any] = {
        "k": k,
        "mode": mode,
        "filter": _condition(status, tag, language, folder, None if owner is None else _owner(owner, using)),
        "among": _among(label, score),
        "using": using,
        "model": Prompt,
        "fields": FIELDS,
    }
    found = _search(query, arguments) if like is None else _similar(like, query, arguments)
    return PromptSearch(
        query=query or "",
        mode=mode,
        k=k,
        took_ms=found.took_ms,
        plan=found.plan,
        results=[
            PromptHit(
                prompt=hit.row,
                snippet=snippet(hit.row.content, query or ""),
                distance=hit.distance,
                score=hit.score,
                ranks=hit.ranks,
            )
            for hit in found.hits
        ],
    )


def best_scores(prompt_ids: Sequence[str]) -> dict[str, float]:
    """By prompt, the best of what the filter by score looks at."""
    rows = _evaluations().filter(prompt__in=prompt_ids).order_by()
    return dict(rows.values_list("prompt_id").annotate(best=Max("score")))


def _search(query: str | None, arguments: dict[str, Any]) -> SearchResult:
    try:
        return search(COLLECTION, query, **arguments)
    except CollectionNotFound:  # nothing has been indexed yet
        return search(get_collection(arguments["using"]), query, **arguments)


def _similar(key: str, query: str | None, arguments: dict[str, Any]) -> SearchResult:
    try:
        return search_similar(COLLECTION, key, query, **arguments)
    except CollectionNotFound as error:
        raise _not_indexed(key) from error
    except InvalidQuery as error:
        if error.field != "key":
            raise
        raise _not_indexed(key) from error


def _not_indexed(key: str) -> InvalidQuery:
    hint = "Is it in the trash, or not indexed yet?"
    return InvalidQuery("like", "the id of a prompt in the search index", shown(key), hint)


def _condition(
    status: str | None,
    tag: str | Sequence[str] | None,
    language: str | None,
    folder: str | None,
    user: str | None,
) -> dict[str, Any] | None:
    """What the metadata of the items say."""
    if status is not None and status not in Status.values:
        raise InvalidQuery("status", " or ".join(Status.values), repr(status))
    folder = (folder or "").strip("/") or None
    wanted: dict[str, Any] = {"status": status, "language": language, "folder": folder, "user": user}
    condition = {name: value for name, value in wanted.items() if value is not None}
    tags = [tag] if isinstance(tag, str) else list(tag or ())
    if len(tags) == 1:
        condition["tags"] = tags[0]
    elif tags:
        condition["and"] = [{"tags": one} for one in tags]
    return condition or None


def _among(label: str | None, score: float | None) -> QuerySet[Prompt] | None:
    """What the metadata does not say, as it changes without the prompt being written; None: all prompts."""
    if label is None and score is None:
        return None
    prompts = Prompt.objects.all()
    if label is not None:
        prompts = prompts.labelled(_name(label, "label"))
    if score is not None:
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise InvalidQuery("score", "a number from 0 to 1", shown(score))
        prompts = prompts.filter(pk__in=_evaluations().filter(score__gte=score).values("prompt"))
    return prompts


def _owner(name: str, using: str | None) -> str:
    """The id of the user of that name, else what is no id."""
    users = User.objects.using(using).filter(username=_name(name, "owner"))
    return users.values_list("pk", flat=True).first() or ""


def _evaluations() -> QuerySet[Evaluation]:
    """Of all kinds, and of all versions that are not in the trash."""
    return Evaluation.objects.filter(Q(version=None) | Q(version__deleted_at=None))


def _name(value: str, field: str) -> str:
    return check_text(value, field, minimum=1, maximum=_MAX_NAME, error=InvalidQuery)
