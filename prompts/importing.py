"""Importing prompts: what is new is created, what is there already is left alone, what is wrong is told.

The same content is one prompt, whatever its title. A row changes nothing either where its content came from
the same source before, or its prompt held it once: somebody has edited it since. So running an import again
changes nothing and takes no edit back. Other content under a name of its own updates the prompt of that name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from . import indexing
from .import_files import ImportFileError, ImportRow, Refusal, read_rows
from .models import Prompt, PromptVersion, User
from .validators import MAX_NAME_LENGTH

SAMPLES = Path(__file__).parent / "samples" / "prompts.jsonl"
MAX_SOURCE_LENGTH = 255
_CHUNK = 100  # rows a transaction: long enough to be fast, short enough to let others write
Track = Callable[[Sequence[Prompt], str], Iterable[Prompt]]


@dataclass
class ImportResult:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[Refusal] = field(default_factory=list)


def import_file(
    path: Path,
    user: User,
    *,
    source: str = "",
    strict: bool = False,
    dry_run: bool = False,
    track: Track = lambda prompts, label: prompts,
) -> ImportResult:
    """Import the prompts of a file for `user` and index them.

    `source` (default: the file's name) is stored with each prompt. With `strict` nothing is written if a
    single row is refused; with `dry_run` nothing at all, but the counts are those of a real run. `track`
    wraps the rows, for a progress bar. Raises ``ImportFileError`` where the file cannot be read.
    """
    if len(source) > MAX_SOURCE_LENGTH:
        raise ImportFileError(f"source: expected at most {MAX_SOURCE_LENGTH} characters, got {len(source)}.")
    result = ImportResult()
    rows: list[Prompt] = []
    plan = _Plan(source or path.name)
    for row in read_rows(path):
        prompt = row if isinstance(row, Refusal) else plan.decide(row, user)
        if isinstance(prompt, Refusal):
            result.failed.append(prompt)
        elif prompt is None:
            result.unchanged += 1
        else:
            rows.append(prompt)
    if strict and result.failed:
        return ImportResult(failed=result.failed)
    new = sum(prompt._state.adding for prompt in rows)
    result.created, result.updated = new, len(rows) - new
    if rows and not dry_run:
        for batch in _batches(track(rows, "Importing")):
            with transaction.atomic():
                for prompt in batch:
                    prompt.save(author=user, message=f"Imported from {plan.source}", index=False)
        indexing.index(track(rows, "Embedding"))
    return result


def _batches(prompts: Iterable[Prompt]) -> Iterator[list[Prompt]]:
    iterator = iter(prompts)
    while batch := list(islice(iterator, _CHUNK)):
        yield batch


class _Plan:
    """Decides, row by row, what an import does, knowing what the registry and the rows before hold."""

    def __init__(self, source: str) -> None:
        self.source = source
        is_known = Q(version=F("prompt__version")) | Q(prompt__source=source)
        versions = PromptVersion.objects.kept().filter(is_known, prompt__deleted_at=None).order_by()
        # The hash of each content that is no news, and the name of its prompt.
        self.contents = dict(versions.values_list("content_hash", "prompt__name"))
        self.names = set(Prompt.objects.values_list("name", flat=True))
        self.named_here: set[str] = set()

    def decide(self, row: ImportRow, user: User) -> Prompt | Refusal | None:
        """The prompt to save, or why the row is refused, or None where it changes nothing."""
        try:
            row.content.encode()
        except UnicodeEncodeError:
            return Refusal(row.line, "content", "Unicode text", "a lone surrogate")
        prompt = self._existing(row) or Prompt(name=row.name or self._free_name(row))
        prompt.user = user if prompt._state.adding else prompt.user
        prompt.title, prompt.content, prompt.status = row.title, row.content, row.status
        prompt.language = row.language or guess_language(row.content)
        prompt.tags, prompt.metadata, prompt.source = row.tags, row.metadata, self.source
        if refusal := self._check(prompt, row.line):
            return refusal
        content_hash = prompt.content_hash
        holder = self.contents.get(content_hash) or self._former_holder(prompt, content_hash)
        if not holder and row.name in self.named_here:
            return Refusal(row.line, "name", "a name that occurs once in the file", row.name)
        # Noted for rows that change nothing too: the next run must refuse what this one refuses.
        self.named_here |= {holder or prompt.name, row.name or prompt.name}
        if holder:
            return None
        self.contents[content_hash] = prompt.name
        self.names.add(prompt.name)
        return prompt

    @staticmethod
    def _former_holder(prompt: Prompt, content_hash: str) -> str:
        if prompt._state.adding or not prompt.versions.filter(content_hash=content_hash).exists():
            return ""
        return prompt.name

    def _existing(self, row: ImportRow) -> Prompt | None:
        return Prompt.objects.filter(name=row.name).first() if row.name in self.names else None

    def _free_name(self, row: ImportRow) -> str:
        """A name made from folder and title; where it is taken, with a number behind."""
        folder = "/".join(part for part in map(_clean, row.folder.split("/")) if part)
        base = f"{folder}/{_clean(row.title) or 'prompt'}".lstrip("/")[:MAX_NAME_LENGTH].strip(" /")
        name, number = base, 1
        while name in self.names:
            number += 1
            ending = f" ({number})"
            name = base[: MAX_NAME_LENGTH - len(ending)] + ending
        return name

    @staticmethod
    def _check(prompt: Prompt, line: int) -> Refusal | None:
        try:
            prompt.clean_fields(exclude=["user"])
            prompt.clean()
        except ValidationError as error:
            name, errors = next(iter(error.error_dict.items()))
            if errors[0].code in ("blank", "null", "no_text"):
                return Refusal(line, name, "some text", "none")
            expected, _, got = errors[0].messages[0].partition(", got ")
            return Refusal(line, name, expected.removeprefix("Expected ").rstrip("."), got.rstrip("."))
        return None


def guess_language(text: str) -> str:
    """``ja`` for text with kana, ``ko`` for text with hangul, else empty: Latin letters do not tell."""
    if re.search(r"[\u3041-\u30ff]", text):
        return "ja"
    return "ko" if re.search(r"[\uac00-\ud7a3]", text) else ""


def _clean(title: str) -> str:
    """A title as one part of a name: slashes and bars replaced, single spaces, printable characters only."""
    printable = "".join(character if character.isprintable() else " " for character in title)
    cleaned = " ".join(re.sub(r"[/|]", "-", printable).split())
    return "" if cleaned in (".", "..") else cleaned
