"""Prompts with their histories, from records into the registry: decided one by one, written whole.

A prompt that is not there yet is written as its record has it. One that is there gets the versions and the
evaluations that it lacks, where both histories begin alike; everything else of it stays as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from ..events import Event, Kind, tell
from ..models import (
    Evaluation,
    LabelMove,
    Prompt,
    PromptFields,
    PromptLabel,
    PromptVersion,
    User,
)
from ..models.base import new_id
from ..models.fields import hash_fields, id_of_state, record_fields
from ..saving import check_newest
from ..states import batches
from .evaluations import are_new, key_of, make_evaluation
from .including import Candidate, of_record
from .people import People
from .problems import Refusal, WrongValue, values_within
from .records import Action, EvaluationRecord, PromptRecord, VersionRecord

_ROWS: Final = 500  # of one statement, of rows that are short


@dataclass(slots=True)
class _Step:
    """What is to be done: ``prompt`` is the one that is there."""

    prompt: Prompt | None
    versions: list[VersionRecord]
    evaluations: list[EvaluationRecord]
    stored: dict[int, PromptVersion] = field(default_factory=dict)
    purged_version: int = 0  # where it is higher than here: numbers that were given are not given again

    @property
    def action(self) -> Action:
        if self.prompt is None:
            return "created"
        is_new = self.versions or self.evaluations or self.purged_version
        return "updated" if is_new else "unchanged"


class RecordWriter:
    """One import. ``changed`` are the ids of prompts that the index has to follow."""

    def __init__(self, user: User, source: str, using: str) -> None:
        self.user, self.source, self.using = user, source, using
        self.people = People(user, using)
        self.changed: list[str] = []
        self._matched: set[str] = set()

    def decide(self, line: int, record: PromptRecord) -> tuple[Action, Candidate] | Refusal:
        """What writing would do, without writing, and what that is for those that include it."""
        try:
            step = self._step(record)
        except WrongValue as wrong:
            return wrong.at(line)
        if step.prompt is None:
            self.people.owner(record.owner)
        for version in step.versions:  # so that strangers are known without writing, too
            self.people.author(version.author, version.message)
        return step.action, of_record(line, record, step.versions, step.action)

    def write(self, records: Iterable[tuple[int, PromptRecord]]) -> list[Action | Refusal]:
        """All of them in one transaction; what is refused leaves nothing behind."""
        with transaction.atomic(using=self.using):
            return [self.write_one(line, record) for line, record in records]

    def write_one(
        self, line: int, record: PromptRecord, check: Callable[[], None] = lambda: None
    ) -> Action | Refusal:
        """Within the caller's transaction; `check` raises ``WrongValue`` for what must not stay written."""
        changed = len(self.changed)
        try:
            step = self._step(record)
            with transaction.atomic(using=self.using), values_within():
                if step.prompt is None:
                    self._create(record)
                elif step.action == "updated":
                    self._extend(step)
                check()
        except WrongValue as wrong:
            del self.changed[changed:]
            return wrong.at(line)
        return step.action

    def _step(self, record: PromptRecord) -> _Step:
        """Raises ``WrongValue`` for a conflict."""
        for prompt, stored in self._candidates(record):
            if record.deleted_at is None or not _conflict(record, prompt, stored):
                return self._compare(record, prompt, stored)
        return _Step(None, record.versions, record.evaluations)

    def _candidates(self, record: PromptRecord) -> list[tuple[Prompt, dict[int, str]]]:
        """Prompts that may be this one: by its id, else by its name; in the trash those of its moments."""
        prompts = Prompt.everything.using(self.using).defer("content")
        found = [*prompts.filter(pk=record.id)] if record.id else []
        if record.deleted_at is None:
            found = [prompt for prompt in found if prompt.deleted_at is None and _is_alike(prompt, record)]
            found = found or [*prompts.kept().filter(name=record.name)]
        else:
            trashed = prompts.exclude(deleted_at=None).filter(name=record.name).order_by("pk")
            others = [one for one in trashed if one not in found and one.deleted_at == record.deleted_at]
            found = [one for one in (*found, *others) if one.pk not in self._matched]
        return [(prompt, self._hashes(prompt)) for prompt in found]

    def _hashes(self, prompt: Prompt) -> dict[int, str]:
        rows = PromptVersion.objects.using(self.using).filter(prompt=prompt.pk).order_by()
        return dict(rows.values_list("version", "content_hash"))

    def _compare(self, record: PromptRecord, prompt: Prompt, stored: dict[int, str]) -> _Step:
        if wrong := _conflict(record, prompt, stored):
            raise wrong
        self._matched.add(prompt.pk)
        highest = max([*stored, prompt.purged_version])
        missing = [version for version in record.versions if version.number > highest]
        numbers = {*stored, *(version.number for version in missing)}
        given = [one for one in record.evaluations if one.version is None or one.version in numbers]
        versions = PromptVersion.objects.using(self.using).filter(prompt=prompt.pk).order_by()
        return _Step(
            prompt,
            missing,
            self._new_evaluations(prompt, given),
            {one.version: one for one in versions.only("pk", "version", "prompt_id")},
            record.purged_version if record.purged_version > highest else 0,
        )

    def _new_evaluations(self, prompt: Prompt, given: list[EvaluationRecord]) -> list[EvaluationRecord]:
        if not given:
            return []
        rows = Evaluation.objects.using(self.using).filter(prompt=prompt.pk).order_by()
        stored = [
            (row["version__version"], key_of(row), row["created_at"])
            for row in rows.values("version__version", "name", "item", "score", "metrics", "created_at")
        ]
        new = are_new([(one.version, key_of(one.values), one.created_at) for one in given], stored)
        return [one for one, is_new in zip(given, new, strict=True) if is_new]

    def _create(self, record: PromptRecord) -> None:
        current = record.current
        prompt = Prompt(
            pk=self._free_id(Prompt.everything, record.id),
            user_id=self.people.owner(record.owner),
            type=record.type,
            version=current.number,
            source=record.source if not record.is_foreign else self.source,
            deleted_at=record.deleted_at,
            purged_version=record.purged_version,
            **record.fields,
            **current.payload.as_dict(),
            **_moment(record.created_at),
        )
        # Written in bulk, which no signal and no index follows: the index is brought up to date at the end.
        Prompt.everything.using(self.using).bulk_create([prompt])
        self._matched.add(prompt.pk)
        if record.updated_at:  # which a model sets to now whenever it is written
            Prompt.everything.using(self.using).filter(pk=prompt.pk).update(updated_at=record.updated_at)
        versions = self._add_versions(prompt, record.versions, {})
        self._add_labels(prompt, record, versions)
        self._add_past(prompt, record)
        self._add_evaluations(prompt, record.evaluations, versions)
        if record.deleted_at is None:
            self.changed.append(prompt.pk)
            self._tell("prompt.created", prompt, version=current.number)
            for name, (number, _) in record.labels.items():
                data = {"label": name, "to": number, "reason": f"Imported from {self.source}"}
                self._tell("label.moved", prompt, **data, **{"from": None})

    def _extend(self, step: _Step) -> None:
        assert step.prompt is not None
        stored = Prompt.everything.using(self.using).get(pk=step.prompt.pk)
        ids = {number: version.pk for number, version in step.stored.items()}
        versions = self._add_versions(stored, step.versions, ids)
        self._add_evaluations(stored, step.evaluations, versions)
        if step.purged_version:
            Prompt.everything.using(self.using).filter(pk=stored.pk).update(
                purged_version=step.purged_version
            )
        kept = [version for version in step.versions if version.deleted_at is None]
        if not kept:
            return
        newest = kept[-1]
        Prompt.everything.using(self.using).filter(pk=stored.pk).update(
            **newest.payload.as_dict(), version=newest.number, updated_at=timezone.now()
        )
        if stored.deleted_at is not None:
            return
        check_newest(stored, stored, using=self.using)
        self.changed.append(stored.pk)
        self._tell("version.created", stored, version=newest.number)

    def _add_versions(
        self, prompt: Prompt, versions: list[VersionRecord], ids: dict[int, str]
    ) -> dict[int, str]:
        """The ids of all versions, by number; `ids` are those that are there."""
        ids = dict(ids)
        taken = self._taken([one.id for one in versions if one.id])
        rows: list[tuple[PromptVersion, int]] = []
        for one in versions:
            key = one.id if one.id and one.id not in taken else new_id()
            taken.add(key)
            author, message = self.people.author(one.author, one.message)
            row = PromptVersion(
                pk=key,
                prompt_id=prompt.pk,
                version=one.number,
                content_hash=one.payload.hash,
                parent_id=ids.get(one.parent or 0),
                author_id=author,
                message=message,
                deleted_at=one.deleted_at,
                **one.payload.as_dict(),
                **_moment(one.created_at),
            )
            ids[one.number] = key
            rows.append((row, len(one.payload.content)))
        for batch in batches(rows):
            PromptVersion.objects.using(self.using).bulk_create(batch)
        return ids

    def _add_labels(self, prompt: Prompt, record: PromptRecord, versions: dict[int, str]) -> None:
        now = timezone.now()
        PromptLabel.objects.using(self.using).bulk_create(
            PromptLabel(prompt=prompt, name=name, version_id=versions[number], moved_at=moment or now)
            for name, (number, moment) in record.labels.items()
        )
        moves = LabelMove.objects.using(self.using)
        if record.is_foreign:
            for name, (number, moment) in record.labels.items():
                moves.create(
                    prompt=prompt,
                    label=name,
                    to_version=number,
                    actor=self.user,
                    actor_name=self.user.username,
                    reason=f"Imported from {self.source}",
                    created_at=moment or now,
                )
        ids: list[int] = []
        for move in record.moves:
            actor = self.people.find(move.actor) if move.actor else None
            is_stranger = move.actor is not None and actor is None
            name = move.actor_name or (move.actor.name if move.actor and is_stranger else "")
            made = moves.create(
                prompt=prompt,
                label=move.label,
                from_version=move.before,
                to_version=move.after,
                actor_id=actor,
                actor_name=name,
                reason=move.reason,
                evidence=move.evidence,
                undoes_id=None if move.undoes is None else ids[move.undoes],
                created_at=move.created_at,
            )
            ids.append(made.pk)

    def _add_past(self, prompt: Prompt, record: PromptRecord) -> None:
        last, rows = "", []
        for number, (values, moment) in enumerate(record.past, start=1):
            digest = hash_fields(values)
            last = id_of_state(prompt.pk, last, digest)
            rows.append(
                PromptFields(
                    id=last,
                    prompt_id=prompt.pk,
                    number=number,
                    values=values,
                    values_hash=digest,
                    **_moment(moment),
                )
            )
        PromptFields.objects.using(self.using).bulk_create(rows, batch_size=_ROWS)
        if record.is_edited or not rows:
            record_fields(prompt.pk, self.using)

    def _add_evaluations(
        self, prompt: Prompt, evaluations: list[EvaluationRecord], versions: dict[int, str]
    ) -> None:
        Evaluation.objects.using(self.using).bulk_create(
            (
                make_evaluation(
                    prompt.pk,
                    None if one.version is None else versions[one.version],
                    one.values,
                    one.created_at,
                )
                for one in evaluations
            ),
            batch_size=_ROWS,
        )

    def _free_id(self, rows: Any, wanted: str) -> str:
        return wanted if wanted and not rows.using(self.using).filter(pk=wanted).exists() else new_id()

    def _taken(self, ids: list[str]) -> set[str]:
        taken: set[str] = set()
        for start in range(0, len(ids), _ROWS):
            rows = PromptVersion.objects.using(self.using).filter(pk__in=ids[start : start + _ROWS])
            taken |= set(rows.order_by().values_list("pk", flat=True))
        return taken

    def _tell(self, kind: Kind, prompt: Prompt, **data: Any) -> None:
        tell(Event(kind, prompt.pk, prompt.name, self.user.pk, data), self.using)


def _is_alike(prompt: Prompt, record: PromptRecord) -> bool:
    """Of the same id alone: an id that leads to another kind of prompt is chance, or meant badly."""
    return prompt.type == record.type


def _conflict(record: PromptRecord, prompt: Prompt, stored: dict[int, str]) -> WrongValue | None:
    if prompt.type != record.type:
        return WrongValue("type", f"{prompt.type}, as {prompt.name} has it here", record.type)
    given = {version.number: version.payload.hash for version in record.versions}
    common = sorted(given.keys() & stored.keys())
    for number in common:
        if given[number] != stored[number]:
            return WrongValue(
                f"versions.{number}", f"what version {number} of {prompt.name} holds here", "something else"
            )
    if not common and stored:
        expected = f"versions that {prompt.name} has here, such as {min(stored)}"
        return WrongValue("versions", expected, ", ".join(map(str, sorted(given)[:5])))
    return None


def _moment(moment: Any) -> dict[str, Any]:
    """Without one the database says when."""
    return {} if moment is None else {"created_at": moment}
