"""A prompt as files hold it, with its history: what is written can be read again without loss.

A record is one JSON object. Moments are UTC, versions are named by their numbers, moves of labels that took
back others by their places in the log, and people by name and e-mail address.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from ..models import Kind, Payload, Status
from ..models.fields import FIELDS
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from .moments import as_text

FORMAT: Final = 1
# What an import does to a prompt.
Action = Literal["created", "updated", "unchanged"]
PROMPT_MEMBERS: Final = ("name", "title", "type", "status", "language", "tags", "metadata", "source")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name


# Who runs the import, whoever that is.
IMPORTER: Final = Person("")


@dataclass(slots=True)
class VersionRecord:
    """``content`` as it is stored; an empty ``id`` is one that is to be made."""

    number: int
    payload: Payload
    message: str = ""
    author: Person | None = None
    created_at: datetime | None = None
    parent: int | None = None
    deleted_at: datetime | None = None
    id: str = ""


@dataclass(slots=True)
class MoveRecord:
    label: str
    before: int | None
    after: int | None
    actor: Person | None
    actor_name: str
    reason: str
    evidence: dict[str, Any] | None
    undoes: int | None  # its place in the log, from 0
    created_at: datetime


@dataclass(slots=True)
class EvaluationRecord:
    version: int | None
    values: dict[str, Any]
    created_at: datetime | None


@dataclass(slots=True)
class PromptRecord:
    """``is_foreign`` comes from another system, which keeps no log of labels; ``is_edited`` has fields that
    its own past does not know, such as those of a file that somebody changed.
    """

    name: str
    title: str
    type: str
    versions: list[VersionRecord]
    status: str = Status.ACTIVE
    language: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    owner: Person | None = IMPORTER
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    purged_version: int = 0
    id: str = ""
    labels: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    moves: list[MoveRecord] = field(default_factory=list)
    past: list[tuple[dict[str, Any], datetime | None]] = field(default_factory=list)
    evaluations: list[EvaluationRecord] = field(default_factory=list)
    is_foreign: bool = False
    is_edited: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}

    @property
    def current(self) -> VersionRecord:
        """The newest version that is not in the trash; where all are, the newest of them."""
        kept = [version for version in self.versions if version.deleted_at is None]
        return (kept or self.versions)[-1]


def to_json(record: PromptRecord, *, with_emails: bool = True) -> dict[str, Any]:
    """Without addresses where they are not for everybody; people are known again by their names then."""

    def person(one: Person | None) -> dict[str, str] | None:
        if one is None:
            return None
        return {"name": one.name, "email": one.email} if with_emails else {"name": one.name}

    return {
        "afn": FORMAT,
        "id": record.id,
        **{name: getattr(record, name) for name in PROMPT_MEMBERS},
        "owner": person(record.owner),
        "created_at": as_text(record.created_at),
        "updated_at": as_text(record.updated_at),
        "deleted_at": as_text(record.deleted_at),
        **({"purged_version": record.purged_version} if record.purged_version else {}),
        "versions": [
            {
                "number": one.number,
                "id": one.id,
                **one.payload.as_dict(),
                "content": content_out(record.type, one.payload.content),
                "message": one.message,
                "author": person(one.author),
                "created_at": as_text(one.created_at),
                "parent": one.parent,
                "deleted_at": as_text(one.deleted_at),
            }
            for one in record.versions
        ],
        "labels": {
            name: {"version": number, "moved_at": as_text(moment)}
            for name, (number, moment) in record.labels.items()
        },
        "moves": [
            {
                "label": one.label,
                "from": one.before,
                "to": one.after,
                "actor": person(one.actor),
                "actor_name": one.actor_name,
                "reason": one.reason,
                "evidence": one.evidence,
                "undoes": one.undoes,
                "created_at": as_text(one.created_at),
            }
            for one in record.moves
        ],
        "past": [{"values": values, "created_at": as_text(moment)} for values, moment in record.past],
        "evaluations": [
            {"version": one.version, **one.values, "created_at": as_text(one.created_at)}
            for one in record.evaluations
        ],
    }


def content_out(kind: str, content: str) -> Any:
    """A chat's messages as a list; as they are stored, where plain SQL wrote them in another form."""
    if kind != Kind.CHAT:
        return content
    try:
        found = messages.parse(content)
    except TemplateProblem:
        return content
    return found if messages.dump(found) == content else content
