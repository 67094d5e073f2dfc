"""What an import brings that includes other prompts: looked at together, in whatever order a file has it.

A reference leads to what the import brings, else to what is there. What applications read has to be
composable: the newest versions, and those with labels. Older ones may well include what is gone by now, and
so may any what is in the trash, which an export of everything has as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..composition import Missing, Part, compose
from ..errors import CompositionProblem
from ..models import LATEST, Prompt, PromptVersion
from ..rendering.errors import TemplateProblem
from ..rendering.references import MARK, Reference
from ..rendering.template import Template
from .problems import Refusal, WrongValue
from .records import Action, PromptRecord, VersionRecord


@dataclass(slots=True)
class Candidate:
    """One prompt of an import, ``thing``, with the versions that it adds, by number. ``labels`` lead to those
    that will be read, ``latest`` among them; ``trashed`` are the numbers of those in the trash.
    """

    line: int
    name: str
    action: Action
    thing: PromptRecord | Prompt
    templates: dict[int, Template]
    labels: dict[str, int]
    trashed: frozenset[int] = frozenset()
    names: set[str] = field(default_factory=set)  # of the prompts that it includes

    def __post_init__(self) -> None:
        templates = [self.templates[number] for number in set(self.labels.values())]
        self.names = {one.name for template in templates for one in template.references}

    @property
    def length(self) -> int:
        return sum(len(template.content) for template in self.templates.values())

    def parts(self) -> list[Part]:
        return [self.part(number) for number in sorted(set(self.labels.values()))]

    def part(self, number: int) -> Part:
        return Part(f"{self.name} {number}", self.name, number, self.templates[number])


def may_include(record: PromptRecord) -> bool:
    """Whether a version that will be read includes something."""
    if record.deleted_at is not None:
        return False
    numbers = {record.current.number, *(number for number, _ in record.labels.values())}
    return any(one.number in numbers and MARK in one.payload.content for one in record.versions)


def of_record(line: int, record: PromptRecord, added: list[VersionRecord], action: Action) -> Candidate:
    """`added` are the versions that the registry lacks."""
    kept = [one for one in added if one.deleted_at is None and record.deleted_at is None]
    labels = {name: number for name, (number, _) in record.labels.items()} if action == "created" else {}
    if kept:
        labels[LATEST] = kept[-1].number
    templates = {one.number: _template(record.type, one) for one in kept}
    trashed = frozenset(one.number for one in added if one.deleted_at is not None)
    return Candidate(line, record.name, action, record, templates, labels, trashed)


def of_row(line: int, prompt: Prompt) -> Candidate:
    action: Action
    number, action = (1, "created") if prompt._state.adding else (prompt.version + 1, "updated")
    return Candidate(line, prompt.name, action, prompt, {number: prompt.template}, {LATEST: number})


def _template(kind: str, version: VersionRecord) -> Template:
    payload = version.payload
    return Template(kind, payload.content, payload.template_format, payload.variables)  # type: ignore[arg-type]


class Brought(Mapping[Reference, Part]):
    """Where references lead within an import. ``notes`` tell of those that lead into the trash."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.by_name: dict[str, Candidate] = {}
        self.trash: set[str] = set()  # names of prompts
        self.notes: list[str] = []

    def __getitem__(self, reference: Reference) -> Part:
        candidate = self.by_name[reference.name]
        return candidate.part(reference.version or candidate.labels[reference.label])

    def __iter__(self) -> Iterator[Reference]:
        for name, candidate in self.by_name.items():
            yield from (Reference(name, label) for label in candidate.labels)
            yield from (Reference(name, version=number) for number in candidate.templates)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, candidate: Candidate) -> None:
        self.by_name[candidate.name] = candidate

    def choose(self, candidates: list[Candidate]) -> tuple[list[Candidate], list[Refusal]]:
        """Those that can be composed, after what they include, and what is wrong with the others."""
        self.by_name |= {one.name: one for one in candidates}
        chosen: list[Candidate] = []
        refused: list[Refusal] = []
        for candidate in _inner_first(candidates):
            try:
                self.check(candidate, self)
            except WrongValue as wrong:
                refused.append(wrong.at(candidate.line))
                del self.by_name[candidate.name]  # nor can it be included
            else:
                chosen.append(candidate)
        return chosen, refused

    def check(self, candidate: Candidate, instead: Mapping[Reference, Part] | None = None) -> None:
        """Raises ``WrongValue``. Without `instead` everything that it includes is stored by now.

        Rows are of no export that has a trash, and may not include what is there.
        """
        for part in candidate.parts():
            try:
                # Names alone: a declaration may have been for what the included prompt used once.
                compose(part, instead=instead, using=self.using).template.check_names()
            except Missing as problem:
                if isinstance(candidate.thing, Prompt) or not self._in_trash(problem.reference):
                    raise _wrong(part, problem) from problem
                note = f"{part} includes {problem.reference}, which is in the trash."
                self.notes += [note] if note not in self.notes else []
            except (CompositionProblem, TemplateProblem) as problem:
                raise _wrong(part, problem) from problem

    def _in_trash(self, reference: Reference) -> bool:
        candidate = self.by_name.get(reference.name)
        named = Prompt.everything.using(self.using).filter(name=reference.name)
        if candidate is None and not named.kept().exists():
            return reference.name in self.trash or named.exists()
        if candidate and reference.version in candidate.trashed:
            return True
        trashed = PromptVersion.objects.using(self.using).exclude(deleted_at=None)
        return trashed.filter(prompt__in=named.kept(), version=reference.version).exists()


def _wrong(part: Part, problem: Any) -> WrongValue:
    """What is wrong, with the prompt, its version and the reference."""
    return WrongValue("content", problem.expected, f"{problem.got} ({part})")


def _inner_first(candidates: list[Candidate]) -> Iterator[Candidate]:
    """In an order in which what is included comes before what includes it; in a circle any is the first."""
    by_name = {one.name: one for one in candidates}
    done: set[str] = set()
    stack = [(one, False) for one in reversed(candidates)]
    while stack:
        candidate, is_ready = stack.pop()
        if is_ready:
            yield candidate
        elif candidate.name not in done:
            done.add(candidate.name)
            stack.append((candidate, True))
            stack += [(by_name[name], False) for name in candidate.names if name in by_name]
