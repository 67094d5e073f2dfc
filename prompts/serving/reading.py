"""One version of a prompt, as it is served: found by number, by label or by what a label served then.

Applications ask for it all day, so it is read by one statement, which the ORM would take longer to write than
libSQL to answer; from the primary, for a replica may be behind what was answered last. ``latest`` is what
the prompt holds now, even where plain SQL wrote it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import router

from vectors.rows import execute

from ..composition import Composition, Part, compose
from ..errors import CompositionProblem, NotThere, RegistryProblem
from ..labels import version_at
from ..models import LATEST, Prompt, PromptVersion
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.references import MARK
from ..rendering.template import Template
from ..splits import assign

_PROMPT: Final = (
    "p.id, p.name, p.title, p.type, p.version, p.status, p.language, p.tags, p.metadata, u.username, "
    "p.created_at, p.updated_at"
)
_LABELS: Final = (
    "(SELECT json_group_object(l.name, lv.version) FROM prompt_labels AS l "
    "JOIN prompt_versions AS lv ON lv.id = l.version_id WHERE l.prompt_id = p.id)"
)
_VERSION: Final = (
    "v.id, v.version, v.content, v.template_format, v.variables, v.config, "
    "v.message, v.content_hash, v.created_at"
)
# Of the newest version, what the prompt itself holds counts.
_NEWEST: Final = (
    "coalesce(v.id, ''), p.version, p.content, p.template_format, p.variables, p.config, "
    "coalesce(v.message, ''), v.content_hash, coalesce(v.created_at, p.updated_at)"
)
_FROM: Final = "FROM prompts AS p JOIN users AS u ON u.id = p.user_id"
# An OR of id and name would look at every prompt.
_WHERE: Final = (
    "WHERE p.id = coalesce((SELECT id FROM prompts WHERE id = %s AND deleted_at IS NULL), "
    "(SELECT id FROM prompts WHERE name = %s AND deleted_at IS NULL))"
)
_BY_NUMBER: Final = (
    f"SELECT {_PROMPT}, {_LABELS}, {_VERSION} {_FROM} LEFT JOIN prompt_versions AS v "
    f"ON v.prompt_id = p.id AND v.deleted_at IS NULL AND v.version = %s {_WHERE}"
)
_BY_LABEL: Final = (
    f"SELECT {_PROMPT}, {_LABELS}, {_VERSION} {_FROM} "
    "LEFT JOIN prompt_labels AS pl ON pl.prompt_id = p.id AND pl.name = %s "
    f"LEFT JOIN prompt_versions AS v ON v.id = pl.version_id AND v.deleted_at IS NULL {_WHERE}"
)
# Of all prompts, for bundles.
ALL_LABELLED: Final = (
    f"SELECT {_PROMPT}, {_LABELS}, {_VERSION} {_FROM} "
    "JOIN prompt_labels AS pl ON pl.prompt_id = p.id AND pl.name = %s "
    "JOIN prompt_versions AS v ON v.id = pl.version_id AND v.deleted_at IS NULL"
)
ALL_NEWEST: Final = (
    f"SELECT {_PROMPT}, {_LABELS}, {_NEWEST} {_FROM} LEFT JOIN prompt_versions AS v "
    "ON v.prompt_id = p.id AND v.version = p.version"
)
_BY_NEWEST: Final = f"{ALL_NEWEST} {_WHERE}"


class Unresolvable(CompositionProblem):
    """A stored prompt includes what is not there any more, or would never come to an end."""


__all__ = ["Served", "TemplateProblem", "Unresolvable", "as_json", "read", "served_from"]


@dataclass(frozen=True, slots=True)
class Served:
    """A version of a prompt. ``labels`` are all of the prompt, ``latest`` among them, with their versions."""

    id: str
    name: str
    title: str
    type: str
    latest: int
    status: str
    language: str
    tags: list[str]
    metadata: dict[str, Any]
    author: str
    created_at: datetime
    updated_at: datetime
    labels: Mapping[str, int]
    version_id: str
    version: int
    template: Template
    config: dict[str, Any]
    message: str
    content_hash: str | None
    version_created_at: datetime

    @property
    def own_labels(self) -> list[str]:
        """Labels that serve this version now."""
        return sorted(name for name, version in self.labels.items() if version == self.version)

    @property
    def part(self) -> Part:
        return Part(self.version_id, self.name, self.version, self.template)

    def alone(self) -> Composition:
        """As it was written."""
        return Composition(self.part, self.template)

    def compose(self) -> Composition:
        """With all that it includes. Raises ``Unresolvable``."""
        if MARK not in self.template.content:
            return self.alone()
        try:
            # Of the primary, too: a replica that is behind would put an old part under a new epoch.
            return compose(self.part, using=router.db_for_write(Prompt))
        except CompositionProblem as problem:
            raise Unresolvable(problem.field, problem.expected, problem.got, problem.hint) from problem


def read(
    ref: str, *, version: int | None = None, label: str = "", at: datetime | None = None, subject: str = ""
) -> Served:
    """The prompt of the id or name `ref`: its version of that number, else what `label` serves (by default
    the newest), or served at the moment `at`. Raises ``NotThere``.

    With a `subject`, a label that is split serves what this subject always gets.
    """
    if version is not None and (label or at):
        raise RegistryProblem("version", "either a version, or a label with or without at", "both")
    if subject and label and version is None and at is None and (assigned := assign(ref, label, subject)):
        version = assigned.version
    if at is not None:
        version = _version_at(ref, label or LATEST, at)
    if version is not None:
        row = _row(_BY_NUMBER, [version], ref)
        wanted = f"a version of {row[1]}"
        got = str(version)
    elif label and label != LATEST:
        row = _row(_BY_LABEL, [label], ref)
        wanted, got = f"a label of {row[1]}", repr(label)
    else:
        row = _row(_BY_NEWEST, [], ref)
        wanted, got = "", ""
    if row[13] is None:
        raise NotThere("label" if label and version is None else "version", wanted, got)
    return served_from(row)


def _version_at(ref: str, label: str, at: datetime) -> int:
    alias = router.db_for_write(Prompt)
    prompt = Prompt.objects.using(alias).by_ref(ref)
    found: PromptVersion | None = version_at(prompt, label, at, using=alias) if prompt else None
    if prompt is None:
        raise NotThere("prompt", "the id or name of a prompt", repr(ref))
    if found is None:
        raise NotThere("at", f"a moment at which {label!r} served a version of {prompt.name}", at.isoformat())
    return found.version


def _row(statement: str, params: list[Any], ref: str) -> tuple[Any, ...]:
    rows = execute(router.db_for_write(Prompt), (statement, [*params, ref, ref]))
    if not rows:
        raise NotThere("prompt", "the id or name of a prompt", repr(ref))
    return tuple(rows[0])


def served_from(row: Sequence[Any]) -> Served:
    """A row of one of the statements here."""
    (key, name, title, kind, latest, status, language, tags, metadata, author, created, updated,
     labels, version_id, number, content, template_format, variables, config, message, digest,
     version_created) = row  # fmt: skip
    return Served(
        key, name, title, kind, latest, status, language, json.loads(tags), json.loads(metadata), author,
        _moment(created), _moment(updated), {LATEST: latest, **json.loads(labels)}, version_id, number,
        Template(kind, content, template_format, json.loads(variables)), json.loads(config), message, digest,
        _moment(version_created),
    )  # fmt: skip


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_json(served: Served, composition: Composition) -> dict[str, Any]:
    """What the API answers: the content composed, as messages where it is a chat."""
    template = composition.template
    signature = template.signature
    return {
        "id": served.id,
        "name": served.name,
        "folder": served.name.rpartition("/")[0],
        "title": served.title,
        "type": served.type,
        "version": served.version,
        "latest_version": served.latest,
        "status": served.status,
        "language": served.language,
        "tags": served.tags,
        "metadata": served.metadata,
        "author": served.author,
        "created_at": _text(served.created_at),
        "updated_at": _text(served.updated_at),
        "content": messages.parse(template.content) if served.type == "chat" else template.content,
        "template_format": template.format,
        "variables": {name: variable.as_json() for name, variable in signature.items()},
        "placeholders": template.placeholders,
        "config": served.config,
        "labels": dict(served.labels),
        "message": served.message,
        "content_hash": served.content_hash,
        "version_created_at": _text(served.version_created_at),
        "graph": composition.graph,
    }


def _text(moment: datetime) -> str:
    """To the millisecond, as everywhere in the API."""
    # As Django's encoder writes the same moment in other answers: a whole second has no fraction.
    whole = moment.microsecond < 1_000
    text = moment.astimezone(UTC).isoformat(timespec="seconds" if whole else "milliseconds")
    return text.replace("+00:00", "Z")
