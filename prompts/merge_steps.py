"""What merging one prompt comes to, decided before anything is written.

The *source* is brought over and the *target* is written to: "theirs" and "ours" of a three-way merge. What
the source's history has and the target's has not is appended to the target's, ids kept, and what was merged
comes on top. So the next merge finds what both had last, and a merge that is run again finds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import ValidationError

from .histories import Relation, id_of_copy, relate
from .merge_payloads import merge_payloads
from .models import Payload, Prompt
from .models.fields import FIELDS, hash_fields, id_of_state
from .rendering.errors import TemplateProblem
from .rendering.template import Template
from .states import Entry, PromptState
from .three_way import MISSING, Hunk, Side, merge_set, merge_value

Action = Literal["created", "fast_forwarded", "merged"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """What both sides changed; ``field`` is ``content``, ``title``, ``metadata.model``, …, and ``text`` shows
    it as git does.
    """

    prompt: str
    field: str
    text: str

    def as_json(self) -> dict[str, str]:
        return {"prompt": self.prompt, "field": self.field, "text": self.text}


@dataclass
class Step:
    """One prompt as it is in the source and in the target, where it may be missing, and what becomes of it.

    ``fields`` and ``payload`` are what the target is to have; ``payload`` is None where it keeps its own.
    """

    source: PromptState
    target: PromptState | None
    versions: Relation = field(init=False)
    records: Relation = field(init=False)
    fields: dict[str, Any] = field(init=False)
    payload: Payload | None = None
    action: Action = "fast_forwarded"
    conflicts: list[Conflict] = field(default_factory=list)

    def __post_init__(self) -> None:
        versions, records = (self.target.versions, self.target.records) if self.target else ((), ())
        self.versions = relate(self.source.versions, versions, (self.source.id, self.key))
        self.records = relate(self.source.records, records, (self.source.id, self.key))
        self.fields = self.target.fields if self.target else self.source.fields
        if self.target is None:
            self.action = "created"

    @property
    def key(self) -> str:
        """The id of the prompt in the target."""
        return self.target.id if self.target else self.source.id

    @property
    def moves_content(self) -> bool:
        """Whether the source has a content that is no part of the target's history."""
        if self.target and self.source.content_hash == self.target.content_hash:
            return False
        return not self.source.is_versioned or self.source.newest in self.versions.missing

    @property
    def moves_fields(self) -> bool:
        """Whether the source has fields that are no part of the target's history."""
        if self.target and hash_fields(self.source.fields) == hash_fields(self.target.fields):
            return False
        if entry := self.unrecorded:
            stored = {one.id for one in self.target.records} if self.target else set()
            return stored.isdisjoint((entry.id, id_of_copy(self.key, entry.id)))
        return self.source.records[-1] in self.records.missing

    @property
    def unrecorded(self) -> Entry | None:
        """The source's fields where plain SQL wrote them, and they are on record in the target at most."""
        digest = hash_fields(self.source.fields)
        newest = self.source.records[-1] if self.source.records else None
        if newest and newest.digest == digest:
            return None
        last_id, number = (newest.id, newest.number) if newest else ("", 0)
        return Entry(number + 1, id_of_state(self.source.id, last_id, digest), digest)

    @property
    def is_unversioned(self) -> bool:
        """Whether plain SQL wrote a content that a merge needs as a version."""
        sides = (self.source, self.target) if self.target else (self.source,)
        return self.moves_content and not all(side.is_versioned for side in sides)

    @property
    def is_diverged(self) -> bool:
        """Whether both sides have contents that the other has not."""
        if self.target is None or not self.moves_content:
            return False
        return self.target.newest != self.versions.base_there

    @property
    def new_versions(self) -> tuple[Entry, ...]:
        return self.versions.missing if self.moves_content else ()

    @property
    def adds_version(self) -> bool:
        """Whether the content that the target gets is one that the source has not."""
        return (
            self.action == "merged"
            and self.payload is not None
            and self.payload.hash != self.source.content_hash
        )

    @property
    def new_records(self) -> tuple[Entry, ...]:
        if not self.moves_fields:
            return ()
        return (*self.records.missing, *filter(None, [self.unrecorded]))

    @property
    def has_effect(self) -> bool:
        """Whether, once merged, it comes to something: another state of the target, or a longer history."""
        if self.target is None or self.conflicts or self.payload is not None or self.new_records:
            return True
        return hash_fields(self.fields) != hash_fields(self.target.fields)

    def merge_content(self, payloads: Mapping[str, Payload], resolve: Side | None) -> None:
        """Decide on the content; `payloads` are by the ids of versions of both databases."""
        if not self.moves_content or self.source.newest is None:
            return
        if self.target and self.target.type != self.source.type:
            what = f"It is a {self.target.type} there and a {self.source.type} here.\n"
            self.conflicts.append(Conflict(self.source.name, "type", what))
            return
        theirs = payloads[self.source.newest.id]
        if self.target is None or not self.is_diverged or self.target.newest is None:
            self.payload = theirs
            return
        base = payloads[self.versions.base_there.id] if self.versions.base_there else None
        ours = payloads[self.target.newest.id]
        try:
            merged = merge_payloads(self.source.type, base, ours, theirs, resolve=resolve)
        except TemplateProblem as problem:  # plain SQL made a chat of a text
            self.conflicts.append(Conflict(self.source.name, "content", f"{problem}\n"))
            return
        self.payload = merged.payload
        self._note(merged.conflicts)
        if merged.payload != theirs:
            self.action = "merged"
            for name, value in merged.payload.as_dict().items() if merged.payload else ():
                self._check(name, value)
            if merged.payload not in (ours, None):
                self._check_template(merged.payload)

    def merge_fields(self, values: Mapping[str, dict[str, Any]], resolve: Side | None) -> None:
        """Decide on all else; `values` are states of fields of the target, by id."""
        if self.target is None or not self.moves_fields:
            return
        base = values[self.records.base_there.id] if self.records.base_there else {}
        ours, theirs = self.target.fields, self.source.fields
        merged: dict[str, Any] = {}
        for name in FIELDS:
            before = base.get(name, MISSING)
            tags = [[] if before is MISSING else before, ours[name], theirs[name]]
            if name == "tags" and all(map(_is_texts, tags)):
                merged[name] = merge_set(*tags)
                continue
            merged[name], found = merge_value(before, ours[name], theirs[name], resolve=resolve, path=name)
            self._note({path: [hunk] for path, hunk in found.items()})
        if not self.conflicts and hash_fields(merged) != hash_fields(theirs):
            self.action = "merged"
            for name, value in merged.items():
                if value not in (ours[name], theirs[name]):
                    self._check(name, value)
        self.fields = merged

    def _note(self, found: Mapping[str, list[Hunk]]) -> None:
        for path, hunks in found.items():
            self.conflicts += [Conflict(self.source.name, path, str(hunk)) for hunk in hunks]

    def _check(self, name: str, value: Any) -> None:
        """What two sides make together may be more than is allowed, even where each of them is not."""
        if self.conflicts:
            return
        field: Any = Prompt._meta.get_field(name)
        try:
            field.clean(value, None)
        except ValidationError as error:
            reason = f"Merged, it would not be valid: {' '.join(error.messages)}\n"
            self.conflicts.append(Conflict(self.source.name, name, reason))

    def _check_template(self, payload: Payload | None) -> None:
        """Such as a chat without messages, or a placeholder of one side named as a variable of the other."""
        if self.conflicts or payload is None:
            return
        kind: Any = self.source.type
        try:
            Template(kind, payload.content, payload.template_format, payload.variables).check()
        except TemplateProblem as problem:
            field = problem.field.partition(".")[0].partition("[")[0]
            self.conflicts.append(
                Conflict(self.source.name, field, f"Merged, it would not be valid: {problem}\n")
            )


def _is_texts(value: Any) -> bool:
    """Whether it is a list of texts, as tags are unless plain SQL wrote them."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
