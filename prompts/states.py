"""What a database knows of its prompts, small enough to be compared: everything but the contents.

A prompt's history is two lists that only grow, its versions and the states of its fields. Their entries
have ids that a copy of the database shares, so that two databases can tell what both had.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length

from vectors.rows import in_batches

from .models import VERSIONED, Payload, Prompt
from .models.fields import FIELDS
from .validators import validate_text

T = TypeVar("T")
_PAGE: Final = 500  # prompts read by one statement
# A server sends results up to 10 MB; metadata alone may be 64 kB a prompt.
_PAGE_BYTES: Final = 4_000_000
_BATCH: Final = 500  # rows written or read by one statement
# Of contents, in characters of up to 4 bytes.
BATCH_LENGTH: Final = 1_000_000

# The next prompts after an id, as many as fit, but one at least; among a JSON list of ids, or NULL for all.
_NEXT: Final = """prompts.id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place, sum(size) OVER (ORDER BY id) AS total FROM (
            SELECT p.id, 1000 + 4 * length(p.title) + length(p.tags) + length(p.metadata)
                + 130 * (SELECT count(*) FROM prompt_versions AS v WHERE v.prompt_id = p.id)
                + 130 * (SELECT count(*) FROM prompt_fields AS f WHERE f.prompt_id = p.id) AS size
            FROM prompts AS p
            WHERE p.deleted_at IS NULL AND p.id > %s
                AND (%s IS NULL OR p.id IN (SELECT value FROM json_each(%s)))
            ORDER BY p.id LIMIT %s
        )
    ) WHERE place = 1 OR total <= %s
)"""
_VERSIONS: Final = """(
    SELECT json_group_array(json_array(v.version, v.id, v.content_hash))
    FROM prompt_versions AS v WHERE v.prompt_id = prompts.id
)"""
# The number of the newest version that is not in the trash.
_NEWEST: Final = """(
    SELECT max(v.version) FROM prompt_versions AS v WHERE v.prompt_id = prompts.id AND v.deleted_at IS NULL
)"""
_RECORDS: Final = """(
    SELECT json_group_array(json_array(f.number, f.id, f.values_hash))
    FROM prompt_fields AS f WHERE f.prompt_id = prompts.id
)"""
# Told by the database, which need not send the contents for it.
_IS_VERSIONED: Final = """coalesce((
    SELECT v.content = prompts.content AND v.template_format = prompts.template_format
        AND v.variables = prompts.variables AND v.config = prompts.config
    FROM prompt_versions AS v WHERE v.prompt_id = prompts.id AND v.deleted_at IS NULL
    ORDER BY v.version DESC LIMIT 1
), 0)"""


class Entry(NamedTuple):
    """One version, or one state of the fields; ``digest`` is the SHA-256 of what it holds."""

    number: int
    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class PromptState:
    """A prompt of one database as it is now. Histories are in the order of their numbers.

    ``newest`` is the newest version that is not in the trash; ``versions`` has those in it as well, so that
    what one side deleted does not come back from the other. ``is_versioned`` is false where plain SQL wrote
    a content that no version holds yet.
    """

    id: str
    user_id: str
    type: str
    version: int
    purged_version: int
    fields: dict[str, Any]
    content_hash: str
    is_versioned: bool
    newest: Entry | None
    versions: tuple[Entry, ...]
    records: tuple[Entry, ...]

    @property
    def highest_number(self) -> int:
        """Of a version: also of those that are gone."""
        return max(self.version, self.purged_version, self.versions[-1].number if self.versions else 0)

    @property
    def name(self) -> str:
        return str(self.fields["name"])


def iterate_states(using: str, ids: Collection[str] | None = None) -> Iterator[PromptState]:
    """All prompts, or those of `ids` that exist, in the order of their ids; read page by page."""
    if ids is None:
        yield from _pages(using, None)
        return
    every = sorted(ids)
    for start in range(0, len(every), _PAGE):
        yield from _pages(using, json.dumps(every[start : start + _PAGE]))


def _pages(using: str, wanted: str | None) -> Iterator[PromptState]:
    last = ""
    while page := _page(using, last, wanted):
        yield from page
        last = page[-1].id


def ids_by_name(using: str, names: Collection[str]) -> dict[str, str]:
    """The ids of prompts by their names; absent names are left out, and those that none can have."""
    found: dict[str, str] = {}
    every = sorted(filter(_is_text, names))
    for start in range(0, len(every), 10_000):
        rows = Prompt.objects.using(using).filter(name__in=every[start : start + 10_000])
        found |= dict(rows.order_by().values_list("name", "pk"))
    return found


def _is_text(name: str) -> bool:
    try:
        validate_text(name)
    except ValidationError:
        return False
    return True


def _page(using: str, last: str, wanted: str | None) -> list[PromptState]:
    text, flag = models.TextField(), models.BooleanField()
    rows = list(
        Prompt.objects.using(using)
        .filter(RawSQL(_NEXT, [last, wanted, wanted, _PAGE, _PAGE_BYTES], output_field=flag))  # noqa: S611
        .order_by("pk")
        .values(
            "pk",
            "user_id",
            "type",
            "version",
            "purged_version",
            *FIELDS,
            is_versioned=RawSQL(_IS_VERSIONED, [], output_field=flag),  # noqa: S611
            newest=RawSQL(_NEWEST, [], output_field=models.IntegerField()),  # noqa: S611
            history=RawSQL(_VERSIONS, [], output_field=text),  # noqa: S611
            records=RawSQL(_RECORDS, [], output_field=text),  # noqa: S611
        )
    )
    hashes = _hash_contents(using, [row["pk"] for row in rows if not row["is_versioned"]])
    return [_state(row, hashes) for row in rows]


def _state(row: dict[str, Any], hashes: dict[str, str]) -> PromptState:
    versions, digest = _entries(row["history"]), hashes.get(row["pk"], "")
    newest = next((entry for entry in versions if entry.number == row["newest"]), None)
    # Equal JSON may be written in different ways.
    is_versioned = newest is not None and (bool(row["is_versioned"]) or newest.digest == digest)
    return PromptState(
        id=row["pk"],
        user_id=row["user_id"],
        type=row["type"],
        version=row["version"],
        purged_version=row["purged_version"],
        fields={name: row[name] for name in FIELDS},
        content_hash=newest.digest if newest and is_versioned else digest,
        is_versioned=is_versioned,
        newest=newest,
        versions=versions,
        records=_entries(row["records"]),
    )


def _entries(rows: str) -> tuple[Entry, ...]:
    return tuple(sorted(Entry(*row) for row in json.loads(rows)))


def _hash_contents(using: str, ids: Sequence[str]) -> dict[str, str]:
    prompts = Prompt.objects.using(using).order_by()
    lengths = prompts.filter(pk__in=ids).values_list("pk", Length("content"))
    hashes: dict[str, str] = {}
    for batch in batches(lengths):
        rows = prompts.filter(pk__in=batch).values_list("pk", *VERSIONED)
        hashes |= {key: Payload(*values).hash for key, *values in rows}
    return hashes


def batches(lengths: Iterable[tuple[T, int]]) -> Iterator[list[T]]:
    """Things and the lengths of their contents, in batches that one statement can carry."""
    return in_batches(lengths, size=BATCH_LENGTH, count=_BATCH)
