"""Reading prompts with their histories out of the registry, a few in memory at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Length

from ..merge_rows import read_versions, slices
from ..models import (
    LATEST,
    Evaluation,
    LabelMove,
    Prompt,
    PromptFields,
    PromptLabel,
    PromptVersion,
    User,
)
from ..states import batches
from .records import EvaluationRecord, MoveRecord, Person, PromptRecord, VersionRecord

_EVALUATIONS: Final = ("prompt_id", "version__version", "name", "item", "score", "metrics", "created_at")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which prompts: of a folder and those below, with a tag, with a label; all of them by default.

    With ``history`` whole histories, and without a label what is in the ``trash``; else of each prompt one
    version, the newest or that of the label, with the labels that serve it.
    """

    folder: str = ""
    tag: str = ""
    label: str = ""
    history: bool = True
    trash: bool = True

    @property
    def with_trash(self) -> bool:
        return self.trash and self.history and not self.label


def count_prompts(selection: Selection, using: str = DEFAULT_DB_ALIAS) -> int:
    return _chosen(selection, using).count()


def iterate_records(selection: Selection, using: str = DEFAULT_DB_ALIAS) -> Iterator[PromptRecord]:
    """In the order of their names. What is written meanwhile may be missing; no prompt is half of one."""
    versions = PromptVersion.objects.using(using).filter(prompt=OuterRef("pk")).order_by()
    total = versions.values("prompt").annotate(total=Sum(Length("content"))).values("total")
    lengths = list(
        _chosen(selection, using)
        .order_by("name", "created_at", "pk")
        .annotate(length=Coalesce(Subquery(total), 0))
        .values_list("pk", "length")
    )
    people = _People(using)
    for ids in batches(lengths):
        yield from _read(ids, selection, people, using)


def _chosen(selection: Selection, using: str) -> Any:
    rows = Prompt.everything.using(using)
    rows = rows if selection.with_trash else rows.kept()
    rows = rows.in_folder(selection.folder) if selection.folder else rows
    rows = rows.tagged(selection.tag) if selection.tag else rows
    return rows.labelled(selection.label) if selection.label else rows


def _read(ids: Sequence[str], selection: Selection, people: "_People", using: str) -> Iterator[PromptRecord]:
    prompts = Prompt.everything.using(using).order_by().in_bulk(ids)
    every = PromptVersion.objects.using(using).filter(prompt__in=ids)
    versions: dict[str, list[PromptVersion]] = defaultdict(list)
    for version in read_versions(using, every.order_by().values_list("pk", flat=True)).values():
        versions[version.prompt_id].append(version)
    labels = _grouped(PromptLabel.objects.using(using).filter(prompt__in=ids).order_by("name"))
    moves = _grouped(LabelMove.objects.using(using).filter(prompt__in=ids).order_by("pk"))
    past = _grouped(PromptFields.objects.using(using).filter(prompt__in=ids).order_by("number"))
    evaluations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    found = (
        Evaluation.objects.using(using)
        .filter(prompt__in=ids)
        .order_by("created_at", "version__version", "name", "item", "score", "pk")
    )
    for row in found.values(*_EVALUATIONS):
        evaluations[row["prompt_id"]].append(row)
    people.look_up(
        {
            *(prompt.user_id for prompt in prompts.values()),
            *(version.author_id for rows in versions.values() for version in rows),
            *(move.actor_id for rows in moves.values() for move in rows),
        }
    )
    for key in ids:
        prompt = prompts.get(key)
        if prompt is None:  # purged meanwhile
            continue
        record = _record(
            prompt, versions[key], labels[key], moves[key], past[key], evaluations[key], people.find
        )
        yield record if selection.history else _one_version(record, selection.label)


def _record(
    prompt: Prompt,
    versions: list[PromptVersion],
    labels: Sequence[PromptLabel],
    moves: Sequence[LabelMove],
    past: Sequence[PromptFields],
    evaluations: Sequence[dict[str, Any]],
    person: Any,
) -> PromptRecord:
    versions.sort(key=lambda version: version.version)
    numbers = {version.pk: version.version for version in versions}
    places = {move.pk: at for at, move in enumerate(moves)}
    record = PromptRecord(
        name=prompt.name,
        title=prompt.title,
        type=prompt.type,
        status=prompt.status,
        language=prompt.language,
        tags=prompt.tags,
        metadata=prompt.metadata,
        source=prompt.source,
        owner=person(prompt.user_id),
        created_at=prompt.created_at,
        updated_at=prompt.updated_at,
        deleted_at=prompt.deleted_at,
        purged_version=prompt.purged_version,
        id=prompt.pk,
        versions=[
            VersionRecord(
                number=version.version,
                payload=version.payload,
                message=version.message,
                author=person(version.author_id),
                created_at=version.created_at,
                parent=numbers.get(version.parent_id or ""),
                deleted_at=version.deleted_at,
                id=version.pk,
            )
            for version in versions
        ],
        labels={label.name: (numbers[label.version_id], label.moved_at) for label in labels},
        moves=[
            MoveRecord(
                label=move.label,
                before=move.from_version,
                after=move.to_version,
                actor=person(move.actor_id),
                actor_name=move.actor_name,
                reason=move.reason,
                evidence=move.evidence,
                undoes=places.get(move.undoes_id or 0),
                created_at=move.created_at,
            )
            for move in moves
        ],
        past=[(state.values, state.created_at) for state in past],
        evaluations=[
            EvaluationRecord(
                row["version__version"],
                {name: row[name] for name in ("name", "item", "score", "metrics")},
                row["created_at"],
            )
            for row in evaluations
        ],
    )
    _add_unversioned(record, prompt)
    return record


def _add_unversioned(record: PromptRecord, prompt: Prompt) -> None:
    """What plain SQL wrote is no version yet: it goes out as what `embed_prompts` would make of it."""
    newest = record.current if record.versions else None
    is_versioned = newest is not None and newest.payload.hash == prompt.payload.hash
    if is_versioned or (prompt.deleted_at and newest):
        return
    number = max([prompt.version, *(version.number + 1 for version in record.versions)])
    record.versions.append(
        VersionRecord(
            number=number,
            payload=prompt.payload,
            author=record.owner,
            created_at=prompt.updated_at,
            parent=newest.number if newest else None,
        )
    )


def _one_version(record: PromptRecord, label: str) -> PromptRecord:
    served = record.labels.get(label) if label not in ("", LATEST) else None
    number = served[0] if served else record.current.number
    record.versions = [version for version in record.versions if version.number == number]
    record.versions[0].parent = None
    record.labels = {name: target for name, target in record.labels.items() if target[0] == number}
    record.evaluations = [one for one in record.evaluations if one.version == number]
    record.moves, record.past = [], []
    return record


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.prompt_id].append(row)
    return found


class _People:
    def __init__(self, using: str) -> None:
        self.using = using
        self.known: dict[str, Person] = {}

    def look_up(self, ids: Iterable[str | None]) -> None:
        wanted = sorted({key for key in ids if key} - self.known.keys())
        for keys in slices(wanted):
            rows = User.objects.using(self.using).filter(pk__in=keys).order_by()
            for key, name, email in rows.values_list("pk", "username", "email"):
                self.known[key] = Person(name, email)

    def find(self, key: str | None) -> Person | None:
        return self.known.get(key or "")
