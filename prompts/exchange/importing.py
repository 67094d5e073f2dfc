"""Importing prompts: what is new is created, what is there already is left alone, what is wrong is told.

Rows of tables (`rows`) and records with histories (`writing`) may come together. Running an import again
changes nothing and takes no edit back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, transaction

from vectors.rows import in_batches

from .. import indexing
from ..events import Event, Kind, tell
from ..models import Prompt, User
from ..saving import check_newest
from .import_files import FORMATS, Item, read_items
from .including import Brought, Candidate, may_include, of_row
from .markdown_folders import read_folder
from .problems import ImportFileError, Refusal, WrongValue, values_within
from .records import Action, PromptRecord
from .rows import RowPlan, guess_language
from .writing import RecordWriter

__all__ = ["SAMPLES", "ImportResult", "guess_language", "import_file", "import_items"]

SAMPLES = Path(__file__).parents[1] / "samples" / "prompts.jsonl"
MAX_SOURCE_LENGTH = 255
MARKDOWN: Final = "markdown"
_CHUNK = 100  # rows a transaction: long enough to be fast, short enough to let others write
_RECORDS, _LENGTH = 50, 1_000_000  # records a transaction, and characters of all their versions
_NOTES: Final = 100
T = TypeVar("T")
Track = Callable[[Sequence[Any], str], Iterable[Any]]
# Called for each pass over what is imported, such as a file.
Read = Callable[[], Iterable[Item]]


@dataclass
class ImportResult:
    """``notes`` are what somebody may want to know, such as authors that nobody knows here."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_file(
    path: Path,
    user: User,
    *,
    format: str = "",
    source: str = "",
    strict: bool = False,
    dry_run: bool = False,
    track: Track = lambda rows, label: rows,
    watch: Callable[[Iterable[Item]], Iterable[Item]] = lambda items: items,
) -> ImportResult:
    """Import the prompts of a file, or of a folder of Markdown files, for `user` and index them.

    `source` (default: the file's name) is stored with each prompt. With `strict` nothing is written if a
    single row is refused; with `dry_run` nothing at all, but the counts are those of a real run. `track`
    wraps the rows and `watch` what is read, for progress bars. Raises ``ImportFileError`` where the file
    cannot be read.
    """
    if format not in ("", MARKDOWN, *FORMATS):
        raise ImportFileError(f"format: expected one of {', '.join((*FORMATS, MARKDOWN))}, got {format!r}.")
    is_folder = format == MARKDOWN or (not format and path.is_dir())
    notes: list[str] = []
    result = import_items(
        lambda: watch(read_folder(path, notes) if is_folder else read_items(path, format)),
        user,
        source=source or path.resolve().name[:MAX_SOURCE_LENGTH],
        strict=strict,
        dry_run=dry_run,
        track=track,
    )
    result.notes = [*dict.fromkeys(notes), *result.notes][:_NOTES]
    return result


def import_items(
    read: Read,
    user: User,
    *,
    source: str,
    strict: bool = False,
    dry_run: bool = False,
    track: Track = lambda rows, label: rows,
    using: str = DEFAULT_DB_ALIAS,
) -> ImportResult:
    """Import what `read` gives, which is called twice where nothing may be written before all is known."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise ImportFileError(f"source: expected at most {MAX_SOURCE_LENGTH} characters, got {len(source)}.")
    if strict or dry_run:
        looked = _Run(user, source, using, track, writes=False).take(read())
        if strict and looked.failed:
            return ImportResult(failed=looked.failed)
        if dry_run:
            return looked
    return _Run(user, source, using, track, writes=True).take(read())


class _Run:
    """One pass over what is imported."""

    def __init__(self, user: User, source: str, using: str, track: Track, *, writes: bool) -> None:
        self.user, self.source, self.using, self.track, self.writes = user, source, using, track, writes
        self.result = ImportResult()
        self.plan, self.writer = RowPlan(source, using), RecordWriter(user, source, using)
        self.brought = Brought(using)
        self.rows: list[Candidate] = []
        self.including: list[Candidate] = []
        self.saved: list[Prompt] = []

    def take(self, items: Iterable[Item]) -> ImportResult:
        for records in in_batches(self._records(items), size=_LENGTH, count=_RECORDS):
            if self.writes:
                self._count(self.writer.write(records))
            else:
                for line, record in records:
                    self._look(line, record)
        self.including += [one for one in self.rows if one.names]
        self._save([one for one in self.rows if not one.names])
        self._save(self._composable())
        if self.writes:
            self._index()
        strangers = self.writer.people.strangers
        self.result.notes = [f"{one} is not known here: {self.user} stands in." for one in strangers]
        self.result.notes += self.brought.notes
        self.result.failed.sort(key=lambda one: one.line)
        return self.result

    def _records(self, items: Iterable[Item]) -> Iterator[tuple[tuple[int, PromptRecord], int]]:
        """The records with their lengths. Rows are noted, and what includes others, for both come last."""
        for line, item in items:
            if isinstance(item, Refusal):
                self.result.failed.append(item)
            elif isinstance(item, PromptRecord):
                if item.deleted_at is not None:
                    self.brought.trash.add(item.name)
                elif not self.plan.claim(item.name):
                    expected = "a name that occurs once in the file"
                    self.result.failed.append(Refusal(line, "name", expected, item.name))
                    continue
                if not (may_include(item) and self._hold(line, item)):
                    yield (line, item), sum(len(version.payload.content) for version in item.versions)
            else:
                decided = self.plan.decide(item, self.user)
                if isinstance(decided, Refusal):
                    self.result.failed.append(decided)
                elif decided is None:
                    self.result.unchanged += 1
                else:
                    self.rows.append(of_row(line, decided))

    def _hold(self, line: int, record: PromptRecord) -> bool:
        """Whether it adds what includes others, and so is to be written after all that does not."""
        decided = self.writer.decide(line, record)
        if isinstance(decided, Refusal):
            self.result.failed.append(decided)
            return True
        _, candidate = decided
        self.including += [candidate] if candidate.names else []
        return bool(candidate.names)

    def _look(self, line: int, record: PromptRecord) -> None:
        decided = self.writer.decide(line, record)
        if isinstance(decided, Refusal):
            self.result.failed.append(decided)
            return
        action, candidate = decided
        self._count([action])
        if record.deleted_at is None:
            self.brought.add(candidate)

    def _composable(self) -> list[Candidate]:
        """What includes something and can be composed, after what it includes."""
        chosen, refused = self.brought.choose(self.including)
        self.result.failed += refused
        return chosen

    def _count(self, outcomes: Iterable[Action | Refusal]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Refusal):
                self.result.failed.append(outcome)
            else:
                setattr(self.result, outcome, getattr(self.result, outcome) + 1)

    def _save(self, candidates: Sequence[Candidate]) -> None:
        if not self.writes:
            for candidate in candidates:
                self.brought.add(candidate)
                self._count([candidate.action])
            return
        watched = self.track(candidates, "Importing") if candidates else ()
        for batch in in_batches(((one, one.length) for one in watched), size=_LENGTH, count=_CHUNK):
            with transaction.atomic(using=self.using):
                self._count([self._write(one) for one in batch])

    def _write(self, candidate: Candidate) -> Action | Refusal:
        line, thing = candidate.line, candidate.thing
        if isinstance(thing, PromptRecord):
            return self.writer.write_one(line, thing, lambda: self.brought.check(candidate))
        try:
            with transaction.atomic(using=self.using), values_within():
                self._save_row(thing)
                self.brought.check(candidate)
        except WrongValue as wrong:
            return wrong.at(line)
        self.saved.append(thing)
        return candidate.action

    def _save_row(self, prompt: Prompt) -> None:
        stored = Prompt.objects.using(self.using).filter(pk=prompt.pk).first()
        prompt.save(author=self.user, message=f"Imported from {self.source}", index=False, using=self.using)
        if stored:
            check_newest(prompt, stored, using=self.using)
        kind: Kind = "version.created" if stored else "prompt.created"
        tell(Event(kind, prompt.pk, prompt.name, self.user.pk, {"version": prompt.version}), self.using)

    def _index(self) -> None:
        """Embedding may fail: by then all is saved."""
        if self.saved:
            indexing.index(self.track(self.saved, "Embedding"), using=self.using)
        if ids := self.writer.changed:
            indexing.index(self._stored(self.track(ids, "Embedding")), using=self.using)

    def _stored(self, ids: Iterable[str]) -> Iterator[Prompt]:
        for keys in _batches(ids):
            yield from Prompt.objects.using(self.using).filter(pk__in=keys)


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, _CHUNK)):
        yield batch
