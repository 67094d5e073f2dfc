"""What the page shows of a result beside what the search brings: one statement a kind, not a result."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from vectors.snippets import segments

from ...models import Prompt, PromptLabel, User
from ...search import PromptHit, PromptSearch, best_scores
from .asked import Asked
from .judging import Verdict, verdicts

STRATEGIES: Final = {
    "exact": _("The query was compared with the full vector of every prompt that passes the filters."),
    "quantised": _(
        "The query was compared with a short code of each vector, then with the best full vectors."
    ),
    "ivf": _("The query was compared with the codes in the nearest lists, then with the best full vectors."),
    "diskann": _("libSQL’s own graph of neighbours was walked, and the full vectors found were compared."),
    "keyword": _("Only words were compared, by the full-text index; no vectors."),
}


@dataclass(frozen=True)
class Shown:
    hit: PromptHit
    segments: list[tuple[str, bool]]
    labels: list[tuple[str, int]]
    tags: list[tuple[str, str]]
    like: str
    best_score: float | None
    verdict: Verdict | None

    @property
    def prompt(self) -> Prompt:
        return self.hit.prompt


def shown(request: HttpRequest, asked: Asked, found: PromptSearch) -> list[Shown]:
    prompts = [hit.prompt for hit in found.results]
    keys = [prompt.pk for prompt in prompts]
    prefetch_related_objects(prompts, Prefetch("user", User.objects.only("username")))
    labels = _labels(keys)
    scores = best_scores(keys) if asked.values("score") else {}
    judged = verdicts(request, asked, keys)
    return [
        Shown(
            hit=hit,
            segments=list(segments(hit.snippet)),
            labels=labels[hit.prompt.pk],
            tags=[(tag, asked.with_filter("tag", tag).address) for tag in _texts(hit.prompt.tags)],
            like=asked.but(query="", like=hit.prompt.pk).address,
            best_score=scores.get(hit.prompt.pk),
            verdict=judged.get(hit.prompt.pk),
        )
        for hit in found.results
    ]


def _labels(keys: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    found = defaultdict(list)
    rows = PromptLabel.objects.filter(prompt__in=keys).order_by("name")
    for key, name, version in rows.values_list("prompt_id", "name", "version__version"):
        found[key].append((name, version))
    return found


def _texts(tags: Any) -> list[str]:
    """Plain SQL may have written anything."""
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
