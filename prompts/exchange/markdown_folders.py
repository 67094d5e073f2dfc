"""A folder of Markdown files: a file a prompt, at the path of its name, to be read and edited.

``.afn/prompts.jsonl`` beside them has what the files have no place for: whole histories, labels, the trash. A
file that was edited since is another version on top; one that is gone is not imported; one that is new is a
prompt of its own. Without ``.afn`` all of them are.
"""

import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..models.fields import FIELDS
from . import markdown
from .checking import from_json
from .folders import read_text, shown_path, walk
from .import_files import ImportRow, Item
from .json_lines import Records, dump_line, open_file, read_lines
from .paths import SUFFIXES, Paths
from .problems import ImportFileError, Refusal, WrongValue
from .records import IMPORTER, PromptRecord, VersionRecord, to_json

SIDECAR: Final = ".afn/prompts.jsonl"
_READMES: Final = ("readme.md", "readme.markdown")
_ALLOWED: Final = {".git", ".gitignore", ".gitattributes"}
# A checkout that turns line ends around would change contents.
_ATTRIBUTES: Final = "* -text\n"


def write_folder(records: Iterable[PromptRecord], root: Path, *, history: bool) -> Iterator[PromptRecord]:
    """Write as the records come; each is given on once it is written.

    The folder appears once it is whole. It has to be empty, but for git's own files. Raises
    ``ImportFileError`` where it is not, or ``OSError``.
    """
    paths = Paths()
    with _appearing(root) as folder:
        (folder / ".afn").mkdir()
        (folder / ".gitattributes").write_text(_ATTRIBUTES, encoding="utf-8")
        with (folder / SIDECAR).open("w", encoding="utf-8", newline="") as sidecar:
            for record in records:
                path = ""
                if record.deleted_at is None:
                    path = paths.path_for(record.name)
                    file = folder / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(markdown.dump(record), encoding="utf-8", newline="")
                if history:
                    sidecar.write(dump_line({"file": path, **to_json(record)}))
                yield record
        if not history:
            shutil.rmtree(folder / ".afn")


def read_folder(root: Path, notes: list[str]) -> Iterator[Item]:
    """Records of the sidecar with what the files say now, then the other files, numbered from 1.

    Raises ``ImportFileError`` where the folder or its sidecar cannot be read.
    """
    files: dict[str, int] = {}
    for number, (path, problem) in enumerate(walk(root, SUFFIXES), start=1):
        if problem:
            yield number, Refusal(number, "file", "a file", f"{problem} in {shown_path(path)}")
        else:
            files[path] = number
    for line, record in _sidecar(root):
        if isinstance(record, Refusal):
            yield line, record
            continue
        path = record.pop("file", "")
        number = files.pop(path, 0) if isinstance(path, str) else 0
        item = _with_file(root, str(path), number or line, record, bool(number), notes)
        if item is not None:
            yield number or line, item
    for path, number in files.items():
        new = _new_file(root, path, number, notes)
        if new is not None:
            yield number, new


def _sidecar(root: Path) -> Records:
    path = root / SIDECAR
    if path.parent.is_symlink() or path.is_symlink():
        raise ImportFileError(f"{SIDECAR}: expected a file of the folder, got a symbolic link.")
    if path.is_file():
        with open_file(path) as file:
            yield from read_lines(file)


def _with_file(
    root: Path, path: str, line: int, value: dict[str, Any], is_there: bool, notes: list[str]
) -> PromptRecord | Refusal | None:
    """The record as its file says it is now; None where the file is gone."""
    try:
        record = from_json(value)
        if record.deleted_at is not None:
            return record
        if not is_there:
            notes.append(f"{record.name} is not imported: its file {shown_path(path)} is gone.")
            return None
        return _edited(record, markdown.load(read_text(root, path), path), root.resolve().name)
    except WrongValue as wrong:
        return _named(wrong, path).at(line)


def _edited(record: PromptRecord, file: markdown.File, source: str) -> PromptRecord:
    newest = record.current
    if file.type != record.type:
        raise WrongValue("type", f"{record.type}, as in all versions", file.type)
    if file.payload.hash != newest.payload.hash:
        number = max(version.number for version in record.versions) + 1
        message = f"Imported from {source}"
        edit = VersionRecord(number, file.payload, message, author=IMPORTER, parent=newest.number)
        record.versions.append(edit)
    # What a file does not name is as it was; the name of a file without front matter is its path.
    changed = {name: file.fields[name] for name in FIELDS if name in file.given}
    if any(changed[name] != getattr(record, name) for name in changed):
        return replace(record, **changed, is_edited=True)
    return record


def _new_file(root: Path, path: str, number: int, notes: list[str]) -> ImportRow | Refusal | None:
    try:
        text = read_text(root, path)
        if path.rpartition("/")[2].lower() in _READMES and not markdown.has_front_matter(text):
            notes.append(f"{shown_path(path)} is not imported: it has no front matter.")
            return None
        file = markdown.load(text, path)
    except WrongValue as wrong:
        return _named(wrong, path).at(number)
    payload = file.payload
    template = {
        "type": file.type,
        "template_format": payload.template_format,
        "variables": payload.variables,
        "config": payload.config,
    }
    return ImportRow(line=number, content=payload.content, template=template, **file.fields)


def _named(wrong: WrongValue, path: str) -> WrongValue:
    """With the file: nobody knows the files of a folder by their numbers."""
    return WrongValue(wrong.field, wrong.expected, f"{wrong.got} in {shown_path(path)}")


@contextmanager
def _appearing(root: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `root` at the end, or is gone with an error."""
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise ImportFileError(f"{root}: expected a folder, got something else of that name.")
    if root.exists() and (strange := sorted({entry.name for entry in root.iterdir()} - _ALLOWED)):
        raise ImportFileError(f"{root}: expected an empty folder, got one with {shown_path(strange[0])}.")
    unfinished = root.with_name(f".{root.name}.{secrets.token_hex(4)}.tmp")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        root.mkdir(exist_ok=True)
        for entry in sorted(unfinished.iterdir()):
            if entry.name in _ALLOWED and (root / entry.name).exists():
                continue
            entry.rename(root / entry.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
