"""Reading records: every value is looked at before anything is written, and the first wrong one is named."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError

from vectors.errors import VectorError
from vectors.validation import metadata_json

from ..models import LATEST, Kind, Payload, Prompt, Status, TemplateFormat
from ..models.fields import FIELDS
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.template import Template
from ..validators import validate_config, validate_content, validate_label, validate_text, validate_variables
from .evaluations import check_evaluation
from .moments import read_moment, read_optional
from .problems import WrongValue, shown, values_within
from .records import (
    FORMAT,
    IMPORTER,
    PROMPT_MEMBERS,
    EvaluationRecord,
    MoveRecord,
    Person,
    PromptRecord,
    VersionRecord,
)

MAX_VERSIONS: Final = 100_000
MAX_ENTRIES: Final = 1_000_000  # of label moves, or of evaluations
_MAX_NUMBER: Final = 2**31 - 1
_MAX_MESSAGE: Final = 100_000
_MAX_PERSON: Final = 255
_ID: Final = re.compile("[0-9a-f]{32}")
T = TypeVar("T")


def content_in(kind: str, content: Any, where: str) -> str:
    """The content as it is stored. Raises ``WrongValue``."""
    if kind == Kind.CHAT:
        try:
            if not isinstance(content, str):
                return messages.dump(messages.check(content, where))
            messages.parse(content)
        except TemplateProblem as problem:
            field = where + problem.field.removeprefix(where).removeprefix("content")
            raise WrongValue(field, problem.expected, problem.got) from problem
    if not isinstance(content, str):
        raise WrongValue(where, "text", shown(content))
    return content


def is_record(value: Mapping[str, Any]) -> bool:
    """Whether a line of JSON is a prompt with its history, and not a row of a table."""
    return isinstance(value.get("versions"), list)


def from_json(value: dict[str, Any]) -> PromptRecord:
    """Raises ``WrongValue`` for the first value that cannot be taken."""
    _only(value, "", _MEMBERS)
    if value.get("afn", FORMAT) != FORMAT:
        raise WrongValue("afn", f"the format {FORMAT}", shown(value["afn"]))
    kind = value.get("type", Kind.TEXT)
    if kind not in Kind.values:
        raise WrongValue("type", " or ".join(Kind.values), shown(kind))
    fields: dict[str, Any] = {name: value[name] for name in FIELDS if name in value}
    fields.setdefault("title", str(fields.get("name", "")).rpartition("/")[2])
    versions = _list(value, "versions", MAX_VERSIONS, lambda one, where: _version(one, where, kind))
    versions.sort(key=lambda one: one.number)
    numbers = {one.number: one for one in versions}
    if not versions or len(numbers) < len(versions):
        raise WrongValue("versions", "versions whose numbers differ", "none" if not versions else "one twice")
    record = PromptRecord(
        **check_fields(fields),
        type=kind,
        versions=versions,
        source=_text(value, "source", "", 255),
        owner=_person(value["owner"], "owner") if "owner" in value else IMPORTER,
        created_at=read_optional(value.get("created_at"), "created_at"),
        updated_at=read_optional(value.get("updated_at"), "updated_at"),
        deleted_at=read_optional(value.get("deleted_at"), "deleted_at"),
        purged_version=_optional_number(value.get("purged_version"), "purged_version") or 0,
        id=_id(value, ""),
    )
    record.labels = _labels(value.get("labels") or {}, record, numbers)
    record.moves = _list(value, "moves", MAX_ENTRIES, _move)
    record.past = _list(value, "past", MAX_ENTRIES, _past)
    record.evaluations = _list(value, "evaluations", MAX_ENTRIES, _evaluation)
    for at, move in enumerate(record.moves):
        if move.undoes is not None and not 0 <= move.undoes < at:
            raise WrongValue(f"moves[{at}].undoes", "the place of an earlier move", str(move.undoes))
    for at, evaluation in enumerate(record.evaluations):
        if evaluation.version is not None and evaluation.version not in numbers:
            raise WrongValue(f"evaluations[{at}].version", "a version of the prompt", str(evaluation.version))
    return record


def check_fields(fields: dict[str, Any], where: str = "") -> dict[str, Any]:
    """The values of ``FIELDS``, those left out with their defaults. Raises ``WrongValue``."""
    defaults = {"status": Status.ACTIVE, "language": "", "tags": [], "metadata": {}}
    values = {**defaults, **fields}
    for name in ("name", "title", "status", "language"):
        if not isinstance(values.get(name), str):
            raise WrongValue(f"{where}.{name}".lstrip("."), "text", shown(values.get(name)))
    # Fields that may be empty are not looked at where they are: these would not be what they should be.
    for name, kind, expected in (("tags", list, "a list of texts"), ("metadata", dict, "an object")):
        if not isinstance(values[name], kind):
            raise WrongValue(f"{where}.{name}".lstrip("."), expected, shown(values[name]))
    with values_within(where):
        Prompt(**values).clean_fields(exclude=["user", "content", "template_format", "variables", "config"])
    return values


def check_payload(kind: str, payload: Payload, where: str = "") -> Payload:
    """Raises ``WrongValue`` for what could never be rendered."""
    with values_within(f"{where}.content".lstrip(".")):
        validate_content(payload.content)
    with values_within(f"{where}.variables".lstrip(".")):
        validate_variables(payload.variables)
    with values_within(f"{where}.config".lstrip(".")):
        validate_config(payload.config)
    with values_within(where):
        Template(kind, payload.content, payload.template_format, payload.variables).check()  # type: ignore[arg-type]
    return payload


_MEMBERS: Final = (
    "afn", "id", *PROMPT_MEMBERS, "owner", "created_at", "updated_at", "deleted_at",
    "purged_version", "versions", "labels", "moves", "past", "evaluations",
)  # fmt: skip
_VERSION_MEMBERS: Final = (
    "number", "id", "content", "template_format", "variables", "config",
    "message", "author", "created_at", "parent", "deleted_at",
)  # fmt: skip
_MOVE_MEMBERS: Final = (
    "label", "from", "to", "actor", "actor_name", "reason", "evidence", "undoes", "created_at",
)  # fmt: skip


def _version(value: dict[str, Any], where: str, kind: str) -> VersionRecord:
    _only(value, where, _VERSION_MEMBERS)
    template_format = value.get("template_format", TemplateFormat.SIMPLE)
    if template_format not in TemplateFormat.values:
        expected = " or ".join(TemplateFormat.values)
        raise WrongValue(f"{where}.template_format", expected, shown(template_format))
    payload = Payload(
        content=content_in(kind, value.get("content"), f"{where}.content"),
        config=_object(value, "config", where),
        variables=_object(value, "variables", where),
        template_format=template_format,
    )
    return VersionRecord(
        number=read_number(value.get("number"), f"{where}.number"),
        payload=check_payload(kind, payload, where),
        message=_text(value, "message", where, _MAX_MESSAGE),
        author=_person(value["author"], f"{where}.author") if "author" in value else IMPORTER,
        created_at=read_optional(value.get("created_at"), f"{where}.created_at"),
        parent=_optional_number(value.get("parent"), f"{where}.parent"),
        deleted_at=read_optional(value.get("deleted_at"), f"{where}.deleted_at"),
        id=_id(value, where),
    )


def _labels(
    value: Any, record: PromptRecord, numbers: Mapping[int, VersionRecord]
) -> dict[str, tuple[int, datetime | None]]:
    if not isinstance(value, dict):
        raise WrongValue("labels", "an object of versions by label", shown(value))
    found: dict[str, tuple[int, datetime | None]] = {}
    for name, target in value.items():
        where = f"labels.{name[:36]}"
        check_label(name, where)
        entry = target if isinstance(target, dict) else {"version": target}
        _only(entry, where, ("version", "moved_at"))
        number = read_number(entry.get("version"), where)
        version = numbers.get(number)
        if version is None or version.deleted_at or record.deleted_at:
            raise WrongValue(where, "a version of the prompt that is not in the trash", str(number))
        if name == LATEST:
            raise WrongValue(where, "another label than latest, which moves by itself", LATEST)
        found[name] = number, read_optional(entry.get("moved_at"), f"{where}.moved_at")
    return found


def _move(value: dict[str, Any], where: str) -> MoveRecord:
    _only(value, where, _MOVE_MEMBERS)
    evidence, undoes = value.get("evidence"), value.get("undoes")
    if evidence is not None:
        _bounded_object(evidence, f"{where}.evidence")
    if undoes is not None and (isinstance(undoes, bool) or not isinstance(undoes, int)):
        raise WrongValue(f"{where}.undoes", "the place of an earlier move", shown(undoes))
    label = _text(value, "label", where, 36)
    check_label(label, f"{where}.label")
    return MoveRecord(
        label=label,
        before=_optional_number(value.get("from"), f"{where}.from"),
        after=_optional_number(value.get("to"), f"{where}.to"),
        actor=_person(value.get("actor"), f"{where}.actor"),
        actor_name=_text(value, "actor_name", where, _MAX_PERSON),
        reason=_text(value, "reason", where, _MAX_MESSAGE),
        evidence=evidence,
        undoes=undoes,
        created_at=read_moment(value.get("created_at"), f"{where}.created_at"),
    )


def _past(value: dict[str, Any], where: str) -> tuple[dict[str, Any], datetime | None]:
    _only(value, where, ("values", "created_at"))
    values = value.get("values")
    if not isinstance(values, dict) or set(values) != set(FIELDS):
        raise WrongValue(f"{where}.values", f"an object with {', '.join(FIELDS)}", shown(values))
    return check_fields(values, f"{where}.values"), read_optional(
        value.get("created_at"), f"{where}.created_at"
    )


def _evaluation(value: dict[str, Any], where: str) -> EvaluationRecord:
    _only(value, where, ("version", "name", "item", "score", "metrics", "created_at"))
    values, moment = check_evaluation(value, where)
    return EvaluationRecord(_optional_number(value.get("version"), f"{where}.version"), values, moment)


def _list(
    value: Mapping[str, Any], name: str, maximum: int, read: Callable[[dict[str, Any], str], T]
) -> list[T]:
    entries = value.get(name) or []
    if not isinstance(entries, list) or len(entries) > maximum:
        got = f"{len(entries):,}" if isinstance(entries, list) else shown(entries)
        raise WrongValue(name, f"a list of at most {maximum:,} objects", got)
    found: list[T] = []
    for at, entry in enumerate(entries):
        where = f"{name}[{at}]"
        if not isinstance(entry, dict):
            raise WrongValue(where, "an object", shown(entry))
        found.append(read(entry, where))
    return found


def _only(value: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    if strange := [name for name in value if name not in known]:
        expected = f"no members but {', '.join(known)}"
        raise WrongValue(f"{where}.{strange[0][:80]}".lstrip("."), expected, "another one")


def check_label(value: Any, where: str) -> None:
    try:
        validate_label(value)
    except ValidationError as error:
        expected = "labels of 1 to 36 lower-case letters, digits and _ . -"
        raise WrongValue(where, expected, shown(value)) from error


def check_message(value: Any, name: str) -> str:
    """A message of a version; without one, none. Raises ``WrongValue``."""
    return _text({name: value}, name, "", _MAX_MESSAGE)


def read_number(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_NUMBER:
        raise WrongValue(where, "the number of a version", shown(value))
    return value


def _optional_number(value: Any, where: str) -> int | None:
    return None if value is None else read_number(value, where)


def _text(value: Mapping[str, Any], name: str, where: str, maximum: int) -> str:
    text, place = value.get(name) or "", f"{where}.{name}".lstrip(".")
    if not isinstance(text, str) or len(text) > maximum:
        got = f"{len(text):,} characters" if isinstance(text, str) else shown(text)
        raise WrongValue(place, f"text of at most {maximum:,} characters", got)
    with values_within(place):
        validate_text(text)
    return text


def _object(value: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    found = value.get(name) or {}
    if not isinstance(found, dict):
        raise WrongValue(f"{where}.{name}", "an object", shown(found))
    return found


def _bounded_object(value: Any, where: str) -> None:
    try:
        metadata_json(value, where)
    except VectorError as error:
        raise WrongValue(where, "an object of the bounds of metadata", shown(value)) from error


def _id(value: Mapping[str, Any], where: str) -> str:
    found = value.get("id") or ""
    if found and not (isinstance(found, str) and _ID.fullmatch(found)):
        raise WrongValue(f"{where}.id".lstrip("."), "32 hexadecimal digits", shown(found))
    return found


def _person(value: Any, where: str) -> Person | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise WrongValue(where, "an object with name and email", shown(value))
    _only(value, where, ("name", "email"))
    return Person(*(_text(value, part, where, _MAX_PERSON) for part in ("name", "email")))
