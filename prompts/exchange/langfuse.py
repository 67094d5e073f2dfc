"""Langfuse's JSON: one object a version, with the tags of the prompt and the labels of the version."""

from collections.abc import Iterator
from typing import Any, Final

from ..models import LATEST, Kind, Payload
from ..validators import MAX_TITLE_LENGTH
from .checking import check_fields, check_label, check_message, check_payload, content_in, read_number
from .moments import in_milliseconds, read_optional
from .problems import Refusal, WrongValue, shown
from .records import IMPORTER, Person, PromptRecord, VersionRecord, content_out

_NOBODY: Final = ("", "API")  # what Langfuse calls whoever used a key
_LABELS: Final = 100


def is_version(value: dict[str, Any]) -> bool:
    """Whether an object is a version of Langfuse's, and not a row of a table."""
    return {"name", "prompt", "version"} <= value.keys() and not {
        "labels", "commitMessage", "createdAt",
    }.isdisjoint(value)  # fmt: skip


def to_objects(record: PromptRecord) -> Iterator[dict[str, Any]]:
    """The kept versions of a record. What Langfuse has no member for is left out."""
    newest = record.current.number
    for version in record.versions:
        if version.deleted_at is not None:
            continue
        labels = [name for name, (number, _) in record.labels.items() if number == version.number]
        yield {
            "id": version.id,
            "name": record.name,
            "type": record.type,
            "version": version.number,
            "prompt": content_out(record.type, version.payload.content),
            "config": version.payload.config,
            "labels": [*labels, LATEST] if version.number == newest else labels,
            "tags": record.tags,
            "commitMessage": version.message or None,
            "createdAt": version.created_at and in_milliseconds(version.created_at),
            "updatedAt": record.updated_at and in_milliseconds(record.updated_at),
            "createdBy": version.author.name if version.author else "API",
        }


class Collected:
    """Versions by the names of their prompts, in the order in which the names came."""

    def __init__(self) -> None:
        self._objects: dict[str, list[tuple[int, dict[str, Any]]]] = {}

    def add(self, line: int, value: dict[str, Any]) -> Refusal | None:
        name = value.get("name")
        if not isinstance(name, str):
            return WrongValue("name", "text", shown(name)).at(line)
        self._objects.setdefault(name, []).append((line, value))
        return None

    def records(self) -> Iterator[tuple[int, PromptRecord | Refusal]]:
        """One for each name: a version that cannot be taken keeps its whole prompt out."""
        for objects in self._objects.values():
            record: PromptRecord | None = None
            at = 0
            try:
                for at, value in sorted(objects, key=_number):  # noqa: B007 - told in the refusal
                    record = _add(record, value)
            except WrongValue as wrong:
                yield at, wrong.at(at)
            else:
                if record:
                    yield objects[0][0], record


def _number(entry: tuple[int, dict[str, Any]]) -> int:
    version = entry[1].get("version")
    return version if isinstance(version, int) else 0


def _add(record: PromptRecord | None, value: dict[str, Any]) -> PromptRecord:
    """The record with one more version. The tags are those of the newest."""
    kind = value.get("type") or (Kind.CHAT if isinstance(value.get("prompt"), list) else Kind.TEXT)
    if kind not in Kind.values:
        raise WrongValue("type", " or ".join(Kind.values), shown(kind))
    if record and record.type != kind:
        raise WrongValue("type", f"{record.type}, as in all versions", str(kind))
    version = _version(value, str(kind))
    version.parent = record.versions[-1].number if record else None
    if record and version.number == record.versions[-1].number:
        raise WrongValue("version", "versions whose numbers differ", str(version.number))
    tags = value.get("tags") or []
    name = value["name"]
    fields = check_fields({"name": name, "title": name[:MAX_TITLE_LENGTH], "tags": tags})
    record = record or PromptRecord(**fields, type=str(kind), versions=[], owner=version.author)
    record.is_foreign = True
    record.tags = fields["tags"]
    record.created_at = record.created_at or version.created_at
    record.updated_at = read_optional(value.get("updatedAt"), "updatedAt") or version.created_at
    record.versions.append(version)
    for label in _labels(value):
        if label in record.labels:
            raise WrongValue("labels", "labels that serve one version each", f"{label!r} at two")
        record.labels[label] = version.number, None
    return record


def _version(value: dict[str, Any], kind: str) -> VersionRecord:
    config, message, author = (value.get(name) for name in ("config", "commitMessage", "createdBy"))
    if not isinstance(config or {}, dict):
        raise WrongValue("config", "an object", shown(config))
    payload = Payload(content_in(kind, value.get("prompt"), "prompt"), config=config or {})
    is_known = isinstance(author, str) and author not in _NOBODY
    return VersionRecord(
        number=read_number(value.get("version"), "version"),
        payload=check_payload(kind, payload),
        message=check_message(message, "commitMessage"),
        author=Person(author[:255]) if isinstance(author, str) and is_known else IMPORTER,
        created_at=read_optional(value.get("createdAt"), "createdAt"),
    )


def _labels(value: dict[str, Any]) -> list[str]:
    labels = value.get("labels") or []
    if not isinstance(labels, list) or len(labels) > _LABELS:
        raise WrongValue("labels", f"a list of at most {_LABELS} labels", shown(labels))
    for label in labels:
        check_label(label, "labels")
    return [label for label in dict.fromkeys(labels) if label != LATEST]
