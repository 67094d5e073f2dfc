"""The list of prompts: versions that match, gathered by prompt, page by page in the order of the names."""

from collections import defaultdict
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest

from ..models import LATEST, Prompt, PromptLabel, PromptVersion
from . import filters
from .moments import as_text
from .schemas import ListQuery


def page(query: ListQuery) -> dict[str, Any]:
    """Raises ``RegistryProblem`` for a filter that is none."""
    rows = _versions().filter(_condition(query))
    prompts = Prompt.objects.filter(pk__in=rows.values("prompt")).order_by("name")
    total = prompts.count()
    start = (query.page - 1) * query.limit
    shown = list(prompts.only("name", "type", "tags", "version")[start : start + query.limit])
    return {
        "data": _gather(shown, rows),
        "meta": {
            "page": query.page,
            "limit": query.limit,
            "totalItems": total,
            "totalPages": -(-total // query.limit),
        },
    }


def _versions() -> QuerySet[PromptVersion]:
    """All of them, with the moment at which each changed last: its labels and tags do."""
    moved = PromptLabel.objects.filter(version=OuterRef("pk")).order_by("-moved_at").values("moved_at")[:1]
    of_prompt = Case(When(version=F("prompt__version"), then="prompt__updated_at"), default="created_at")
    changed = Greatest("created_at", of_prompt, Coalesce(Subquery(moved), "created_at"))
    return PromptVersion.objects.kept().filter(prompt__deleted_at=None).annotate(changed=changed)


def _condition(query: ListQuery) -> Q:
    if query.filter is not None:
        return filters.parse(query.filter)
    found = Q()
    if query.name is not None:
        found &= Q(prompt__name=query.name)
    if query.version is not None:
        found &= Q(version=query.version)
    if query.label is not None:
        found &= filters.labelled(query.label)
    if query.tag is not None:
        found &= filters.tagged(query.tag)
    if query.from_updated_at is not None:
        found &= filters.compared("changed", ">=", query.from_updated_at)
    if query.to_updated_at is not None:
        found &= filters.compared("changed", "<=", query.to_updated_at)
    return found


def _gather(prompts: list[Prompt], rows: QuerySet[Any]) -> list[dict[str, Any]]:
    ids = [prompt.pk for prompt in prompts]
    versions = defaultdict(list)
    for key, prompt_id, number, changed in (
        rows.filter(prompt__in=ids).order_by("version").values_list("pk", "prompt_id", "version", "changed")
    ):
        versions[prompt_id].append((number, key, changed))
    labels = dict[str, list[str]]()
    for name, version_id in PromptLabel.objects.filter(prompt__in=ids).values_list("name", "version_id"):
        labels.setdefault(version_id, []).append(name)
    last = [versions[key][-1][1] for key in ids if versions[key]]
    configs = dict(PromptVersion.objects.filter(pk__in=last).values_list("pk", "config"))
    return [
        {
            "name": prompt.name,
            "type": prompt.type,
            "versions": [number for number, _, _ in versions[prompt.pk]],
            "labels": _labels(prompt, versions[prompt.pk], labels),
            "tags": prompt.tags,
            "lastUpdatedAt": as_text(max(changed for _, _, changed in versions[prompt.pk])),
            "lastConfig": configs[versions[prompt.pk][-1][1]],
        }
        for prompt in prompts
        if versions[prompt.pk]  # another request may have deleted them meanwhile
    ]


def _labels(prompt: Prompt, versions: list[tuple[int, str, Any]], labels: dict[str, list[str]]) -> list[str]:
    found = {name for _, key, _ in versions for name in labels.get(key, [])}
    if any(number == prompt.version for number, _, _ in versions):
        found.add(LATEST)
    return sorted(found)
