"""Search over prompts, as the command, the API and the console show it."""

from dataclasses import dataclass
from typing import Any

from vectors.errors import CollectionNotFound, InvalidQuery
from vectors.search import search
from vectors.snippets import Snippet, snippet

from .indexing import COLLECTION, get_collection
from .models import Prompt, Status

# What a result shows.
FIELDS = ("name", "title", "content", "version", "status", "language", "tags")


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
    query: str,
    *,
    k: int = 10,
    mode: str = "hybrid",
    status: str | None = None,
    tag: str | None = None,
    language: str | None = None,
    folder: str | None = None,
    using: str | None = None,
) -> PromptSearch:
    """The best `k` prompts (1…1,000) for a query, restricted by exact values where given; in one statement.

    Raises ``vectors.errors.VectorError`` naming the wrong argument, or ``EmbedderError``.
    """
    if status is not None and status not in Status.values:
        raise InvalidQuery("status", " or ".join(Status.values), repr(status))
    folder = (folder or "").strip("/") or None
    wanted = {"status": status, "tags": tag, "language": language, "folder": folder}
    condition = {name: value for name, value in wanted.items() if value is not None}
    arguments: Any = {"k": k, "mode": mode, "filter": condition or None, "using": using}
    arguments |= {"model": Prompt, "fields": FIELDS}
    try:
        found = search(COLLECTION, query, **arguments)
    except CollectionNotFound:  # nothing has been indexed yet
        found = search(get_collection(using), query, **arguments)
    return PromptSearch(
        query=query,
        mode=mode,
        k=k,
        took_ms=found.took_ms,
        plan=found.plan,
        results=[
            PromptHit(
                prompt=hit.row,
                snippet=snippet(hit.row.content, query),
                distance=hit.distance,
                score=hit.score,
                ranks=hit.ranks,
            )
            for hit in found.hits
        ],
    )
