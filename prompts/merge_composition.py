"""Whether what a merge writes can still be composed, told before it is written.

References lead to what the target has once the merge is done: prompts that come with it, under the names and
numbers that they get there, and without labels, which stay where they were given.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from .composition import MAX_DEPTH, Part, find_parts
from .dependants import MAX_CHECKED, iterate_including, problem_of
from .merge_rows import Rows
from .merge_steps import Conflict
from .models import LATEST, Prompt, PromptVersion
from .rendering.errors import TemplateProblem
from .rendering.references import MARK, Reference
from .states import PromptState

Before = Mapping[str, PromptState]  # prompts of the target that the merge changes, by their ids


def find_broken(rows: Rows, before: Before, using: str) -> list[Conflict]:
    """What could not be composed any more, in the database `using`: of what is written, and of what
    includes that.
    """
    after = _After(rows, before, using)
    found = []
    for prompt in (*rows.created, *rows.rewritten):
        if MARK in prompt.content and (problem := problem_of(after.latest(prompt), after, using)):
            text = f"Merged, version {prompt.version} could not be composed: {problem}\n"
            found.append(Conflict(prompt.name, "content", text))
    return found + _broken_dependants(after, using)


class _After(Mapping[Reference, Part | None]):
    """Where references to prompts of the merge lead after it; None is nowhere."""

    def __init__(self, rows: Rows, before: Before, using: str) -> None:
        self.before, self.using = before, using
        self.moved = {prompt.pk for prompt in (*rows.created, *rows.rewritten)}
        self.by_name = {prompt.name: prompt for prompt in (*rows.created, *rows.edited, *rows.rewritten)}
        self.versions = {(one.prompt_id, one.version): one for one in rows.versions}

    @cached_property
    def given_up(self) -> set[str]:
        """Names that no prompt has any more."""
        old = {self._old_name(prompt) for prompt in self.by_name.values()}
        return old - self.by_name.keys() - {""}

    @cached_property
    def touched(self) -> set[str]:
        """Names that lead elsewhere than before."""
        moved = {name for name, prompt in self.by_name.items() if prompt.pk in self.moved}
        renamed = {name for name, prompt in self.by_name.items() if self._old_name(prompt) != name}
        return moved | renamed | self.given_up

    def latest(self, prompt: Prompt) -> Part:
        return Part(f"{prompt.pk} {prompt.version}", prompt.name, prompt.version, prompt.template)

    def __getitem__(self, reference: Reference) -> Part | None:
        if reference.name in self.given_up:
            return None
        prompt = self.by_name[reference.name]
        if reference.label == LATEST and prompt.pk in self.moved:
            return self.latest(prompt)
        if version := self.versions.get((prompt.pk, reference.version)):
            return None if version.deleted_at else _part(prompt, version)
        old_name = self._old_name(prompt)
        if old_name == reference.name:
            raise KeyError(reference)  # it is where it was
        old = Reference(old_name, reference.label, reference.version)
        part = find_parts([old], self.using).get(old) if old_name else None
        return Part(part.id, reference.name, part.version, part.template) if part else None

    def __iter__(self) -> Iterator[Reference]:
        return (Reference(name, LATEST) for name in self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def _old_name(self, prompt: Prompt) -> str:
        state = self.before.get(prompt.pk)
        return state.name if state else ""


def _broken_dependants(after: _After, using: str) -> list[Conflict]:
    """Of those that applications read, what could be composed before: of the first `MAX_CHECKED` that
    include something of the merge, as where a prompt is saved.
    """
    parts: list[tuple[Part, set[str]]] = []
    for part in iterate_including(using):
        try:
            parts.append((part, {one.name for one in part.template.references}))
        except TemplateProblem:  # written with plain SQL
            continue
    rewritten = {f"{key} {after.before[key].version}" for key in after.moved if key in after.before}
    touched, found, left = set(after.touched), [], MAX_CHECKED
    for _ in range(MAX_DEPTH):
        affected = [(part, names) for part, names in parts if not names.isdisjoint(touched)][:left]
        if not affected:
            break
        parts = [(part, names) for part, names in parts if names.isdisjoint(touched)]
        touched |= {part.name for part, _ in affected}
        left -= len(affected)
        for part, names in affected:
            if part.id in rewritten or problem_of(part, {}, using):
                continue
            if problem := problem_of(part, after, using):
                name = min(names & touched)
                text = f"{part} includes {name} and could not be composed any more: {problem}\n"
                found.append(Conflict(name, "content", text))
    return found


def _part(prompt: Prompt, version: PromptVersion) -> Part:
    return Part(
        f"{prompt.pk} {version.version}", prompt.name, version.version, version.template_of(prompt.type)
    )
