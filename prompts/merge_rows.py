"""The rows of a merge: read from both databases before its transaction, and written in it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from django.db import connections, models
from django.db.models import Value
from django.db.models.functions import Concat, Length
from django.utils import timezone

from .events import Event, Kind
from .histories import id_of_copy
from .merge_steps import Step
from .models import VERSIONED, Prompt, PromptFields, PromptVersion
from .models.fields import FIELDS, hash_fields
from .states import Entry, batches

IDS: Final = 10_000  # values bound to one statement


@dataclass
class Rows:
    """What a merge writes. ``edited`` prompts get new fields, ``rewritten`` ones a new content as well."""

    created: list[Prompt] = field(default_factory=list)
    edited: list[Prompt] = field(default_factory=list)
    rewritten: list[Prompt] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    versions: list[PromptVersion] = field(default_factory=list)
    records: list[PromptFields] = field(default_factory=list)

    @property
    def changed(self) -> list[str]:
        """The ids of the prompts that are not what they were."""
        return [prompt.pk for prompt in (*self.created, *self.edited, *self.rewritten)]

    def events(self) -> Iterator[Event]:
        """What there is to tell of it."""
        for kind, prompts in (
            ("prompt.created", self.created),
            ("prompt.changed", self.edited),
            ("version.created", self.rewritten),
        ):
            for prompt in prompts:
                data = {"version": prompt.version, "merged": True}
                yield Event(cast(Kind, kind), prompt.pk, prompt.name, data=data)

    def write(self, using: str) -> None:
        """Within the caller's transaction; contents go in statements of a size that a server takes."""
        prompts = Prompt.objects.using(using)
        # All give up their names first: two may have swapped them. No name has a bar.
        for ids in slices(self.renamed):
            prompts.filter(pk__in=ids).update(name=Concat(Value("|"), "id"))
        now = timezone.now()
        for prompt in (*self.edited, *self.rewritten):
            prompt.updated_at = now
        for edited in _by_length(self.edited):
            _update(using, edited, (*FIELDS, "updated_at"))
        for rewritten in _by_length(self.rewritten):
            _update(using, rewritten, (*FIELDS, *VERSIONED, "updated_at", "version"))
        for created in _by_length(self.created):
            prompts.bulk_create(created)
        for versions in _by_length(self.versions):
            PromptVersion.objects.using(using).bulk_create(versions)
        for records in _by_length(self.records):
            PromptFields.objects.using(using).bulk_create(records)


@dataclass
class Builder:
    """Turns steps into rows. ``users`` leads from users of the source to those of the target; ``author``, an
    id there, stands in for whom the target does not know. ``taken`` are the ids of the source's rows that
    the target uses for another prompt.
    """

    source: str
    message: str
    users: Mapping[str, str]
    author: str | None
    taken: Collection[str]
    versions: Mapping[str, PromptVersion]
    records: Mapping[str, PromptFields]
    origins: Mapping[str, Prompt]  # of prompts that are created: when, and from what file
    rows: Rows = field(default_factory=Rows)

    def add(self, step: Step) -> None:
        key = step.key
        number = self._add_versions(step, key)
        self._add_records(step, key)
        prompt = Prompt(pk=key, version=number, type=step.source.type, **step.fields)
        for name, value in step.payload.as_dict().items() if step.payload else ():
            setattr(prompt, name, value)
        if step.target is None:
            origin = self.origins[key]
            prompt.user_id = self.users.get(step.source.user_id) or self.author or ""
            prompt.created_at, prompt.source = origin.created_at, origin.source
            prompt.purged_version = step.source.purged_version
            self.rows.created.append(prompt)
        elif step.payload is not None:
            self.rows.rewritten.append(prompt)
        elif hash_fields(step.fields) != hash_fields(step.target.fields):
            self.rows.edited.append(prompt)
        if step.target and step.target.name != step.fields["name"]:
            self.rows.renamed.append(key)

    def _add_versions(self, step: Step, key: str) -> int:
        """The versions that the target lacks, and the one that was merged; the number of the newest."""
        target = step.target
        number = target.highest_number if target else 0
        ids = dict(step.versions.known)
        newest = step.source.newest.id if step.source.newest else ""
        current = 0
        for entry in step.new_versions:
            version = self.versions[entry.id]
            ids[entry.id] = self._id(entry.id, key)
            number = number + 1 if target else entry.number
            current = number if entry.id == newest else current
            self.rows.versions.append(
                PromptVersion(
                    id=ids[entry.id],
                    prompt_id=key,
                    version=number,
                    content_hash=version.content_hash,
                    parent_id=ids.get(version.parent_id or ""),
                    author_id=self._author(version.author_id),
                    message=version.message,
                    created_at=version.created_at,
                    deleted_at=version.deleted_at,
                    **version.payload.as_dict(),
                )
            )
        if target and step.payload is not None and step.adds_version:
            number += 1
            self.rows.versions.append(
                PromptVersion(
                    prompt_id=key,
                    version=number,
                    content_hash=step.payload.hash,
                    parent_id=target.newest.id if target.newest else None,
                    author_id=self.author,
                    message=self._message(step.source.newest.number if step.source.newest else 0),
                    **step.payload.as_dict(),
                )
            )
            current = number
        return current or number

    def _add_records(self, step: Step, key: str) -> None:
        newest: Entry | None = step.target.records[-1] if step.target and step.target.records else None
        number, digest = (newest.number, newest.digest) if newest else (0, "")
        for entry in step.new_records:
            # What plain SQL wrote is no row of the source.
            record = self.records.get(entry.id) or PromptFields(values=step.source.fields)
            number, digest = number + 1 if step.target else entry.number, entry.digest
            self.rows.records.append(
                PromptFields(
                    id=self._id(entry.id, key),
                    prompt_id=key,
                    number=number,
                    values=record.values,
                    values_hash=digest,
                    created_at=record.created_at,
                )
            )
        if (merged := hash_fields(step.fields)) != digest and (step.moves_fields or step.target is None):
            self.rows.records.append(
                PromptFields(prompt_id=key, number=number + 1, values=step.fields, values_hash=merged)
            )

    def _id(self, entry_id: str, key: str) -> str:
        return id_of_copy(key, entry_id) if entry_id in self.taken else entry_id

    def _message(self, version: int) -> str:
        return ": ".join(filter(None, [f"Merged version {version} of {self.source}", self.message]))

    def _author(self, user_id: str | None) -> str | None:
        return self.users.get(user_id, self.author) if user_id else None


def read_versions(using: str, ids: Iterable[str]) -> dict[str, PromptVersion]:
    """Versions with their contents, by id."""
    return _read(PromptVersion.objects.using(using), ids, sum(map(Length, ("message", *VERSIONED)), Value(0)))


def read_records(using: str, ids: Iterable[str]) -> dict[str, PromptFields]:
    """States of fields, by id."""
    return _read(PromptFields.objects.using(using), ids, Length("values"))


def _read(rows: models.QuerySet[Any], ids: Iterable[str], length: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keys in slices(sorted(set(ids))):
        for batch in batches(rows.filter(pk__in=keys).order_by().values_list("pk", length)):
            found |= rows.in_bulk(batch)
    return found


def read_origins(using: str, ids: Iterable[str]) -> dict[str, Prompt]:
    """Prompts by id, with nothing but when and from what file they were made."""
    found: dict[str, Prompt] = {}
    for keys in slices(sorted(ids)):
        found |= Prompt.objects.using(using).only("created_at", "source").order_by().in_bulk(keys)
    return found


def find_taken(using: str, ids: Mapping[str, str]) -> set[str]:
    """Which of these ids of rows the database has for another prompt than the one that `ids` leads to."""
    taken: set[str] = set()
    for keys in slices(sorted(ids)):
        for model in (PromptVersion, PromptFields):
            rows = model._default_manager.using(using).filter(pk__in=keys).order_by()
            taken |= {key for key, prompt in rows.values_list("pk", "prompt_id") if ids[key] != prompt}
    return taken


def slices(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + IDS] for start in range(0, len(values), IDS))


def _update(using: str, prompts: Iterable[Prompt], names: Iterable[str]) -> None:
    """As bulk_update() does, in a tenth of its time: a server ends what keeps others waiting for 5 s."""
    connection = connections[using]
    fields: list[Any] = [Prompt._meta.get_field(name) for name in (*names, "id")]
    *changes, of_this = [f"{connection.ops.quote_name(field.column)} = %s" for field in fields]
    sql = f"UPDATE prompts SET {', '.join(changes)} WHERE {of_this}"  # noqa: S608 - columns of the model
    rows = [
        [field.get_db_prep_save(getattr(prompt, field.attname), connection) for field in fields]
        for prompt in prompts
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def _by_length(rows: Sequence[Any]) -> Iterable[list[Any]]:
    return batches((row, _length(row)) for row in rows)


def _length(row: Prompt | PromptVersion | PromptFields) -> int:
    """Of what may be long. A server sends back much of what is inserted, and no more than 10 MB."""
    match row:
        case Prompt():
            return len(row.content) + len(json.dumps([row.tags, row.metadata, row.config, row.variables]))
        case PromptVersion():
            return len(row.content) + len(row.message) + len(json.dumps([row.config, row.variables]))
        case _:
            return len(json.dumps(row.values))
