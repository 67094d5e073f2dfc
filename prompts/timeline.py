"""The time line of a prompt: its versions, each with what changed since the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Avg, Count
from django.db.models.functions import Length

from .models import Evaluation, Prompt, PromptVersion

PAGE: Final = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """A version without its content. ``previous`` is the number of the kept version before it, and ``growth``
    by how many characters it is longer; both are None of the first. ``mean`` is that of ``n`` main scores.
    """

    version: PromptVersion
    labels: tuple[str, ...]
    characters: int
    previous: int | None
    growth: int | None
    n: int = 0
    mean: float | None = None


def read(prompt: Prompt, *, before: int | None = None, limit: int = PAGE) -> tuple[list[Entry], int | None]:
    """The newest versions, or those below the number `before`; and the number to go on `before`, None where
    there are no more. Three queries, however many versions there are.
    """
    versions = prompt.versions.kept().select_related("author").prefetch_related("labels")
    if before is not None:
        versions = versions.filter(version__lt=before)
    versions = versions.defer("content", "config", "variables").annotate(characters=Length("content"))
    found = list(versions.order_by("-version")[: limit + 1])
    shown = found[:limit]
    means = _means(shown)
    entries = [
        _entry(version, found[at + 1] if at + 1 < len(found) else None, means)
        for at, version in enumerate(shown)
    ]
    return entries, shown[-1].version if len(found) > limit else None


def _entry(version: PromptVersion, older: PromptVersion | None, means: dict[str, tuple[int, float]]) -> Entry:
    characters: int = version.characters  # type: ignore[attr-defined]  # annotated
    n, mean = means.get(version.pk, (0, None))
    return Entry(
        version,
        tuple(sorted(label.name for label in version.labels.all())),
        characters,
        older.version if older else None,
        characters - older.characters if older else None,  # type: ignore[attr-defined]
        n,
        mean,
    )


def _means(versions: Sequence[PromptVersion]) -> dict[str, tuple[int, float]]:
    rows = (
        Evaluation.objects.filter(version__in=[one.pk for one in versions], name="")
        .order_by()
        .values("version")
        .annotate(n=Count("pk"), mean=Avg("score"))
    )
    return {row["version"]: (row["n"], row["mean"]) for row in rows}
