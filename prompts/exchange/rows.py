"""Rows of tables, which know no versions: what each of them does to the registry.

The same content is one prompt, whatever its title. A row changes nothing either where its content came from
the same source before, or its prompt held it once: somebody has edited it since. So running an import again
changes nothing and takes no edit back. Other content under a name of its own updates the prompt of that name.
"""

import re

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Q

from ..models import Prompt, PromptVersion, User
from ..validators import MAX_NAME_LENGTH
from .import_files import ImportRow
from .problems import Refusal


class RowPlan:
    """Decides, row by row, what an import does, knowing what the registry and the rows before hold."""

    def __init__(self, source: str, using: str = DEFAULT_DB_ALIAS) -> None:
        self.source, self.using = source, using
        is_known = Q(version=F("prompt__version")) | Q(prompt__source=source)
        versions = (
            PromptVersion.objects.using(using).kept().filter(is_known, prompt__deleted_at=None).order_by()
        )
        # The hash of each content that is no news, and the name of its prompt.
        self.contents = dict(versions.values_list("content_hash", "prompt__name"))
        self.names = set(Prompt.objects.using(using).values_list("name", flat=True))
        self.named_here: set[str] = set()

    def claim(self, name: str) -> bool:
        """Note that a record with a history has this name; false where a row of the file has it."""
        if name in self.named_here:
            return False
        self.named_here.add(name)
        self.names.add(name)
        return True

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
        for field, value in (row.template or {}).items():
            setattr(prompt, field, value)
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
        return (
            Prompt.objects.using(self.using).filter(name=row.name).first() if row.name in self.names else None
        )

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
