"""The git log of a folder of Markdown files as histories of prompts: a commit that changed one is a version.

Files are those of the newest commit, whatever the working tree holds. Each is followed back along the branch,
of merges along the side they went into, and through renames that left the content as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..models import User
from . import markdown
from .folders import decode
from .git import Commit, Entry, Repository
from .import_files import Item
from .importing import MAX_SOURCE_LENGTH, ImportResult, Track, import_items
from .paths import SUFFIXES
from .problems import ImportFileError, WrongValue
from .records import Person, PromptRecord, VersionRecord

MAX_FILES: Final = 100_000
MAX_CHANGES: Final = 1_000_000
_MAX_DEPTH: Final = 128
_MAX_MESSAGE: Final = 10_000
_KEPT_TREES: Final = 10_000
_READMES: Final = ("readme.md", "readme.markdown")


def import_git(
    folder: Path,
    user: User,
    *,
    source: str = "",
    strict: bool = False,
    dry_run: bool = False,
    track: Track = lambda rows, label: rows,
) -> ImportResult:
    """Import the prompts of a folder with their history, as `import_file` does; files are counted for lines.

    Raises ``ImportFileError`` where it is no folder of a repository, or the repository cannot be read.
    """
    notes: list[str] = []
    result = import_items(
        lambda: read_log(folder, notes),
        user,
        source=source or folder.resolve().name[:MAX_SOURCE_LENGTH] or "git",
        strict=strict,
        dry_run=dry_run,
        track=track,
    )
    result.notes = [*dict.fromkeys(notes), *result.notes]
    return result


def read_log(folder: Path, notes: list[str]) -> Iterator[Item]:
    """A record for each file of the newest commit, in the order of the paths."""
    with Repository(folder) as repository:
        tracks = _Walk(repository).tracks()
        for number, track in enumerate(tracks, start=1):
            try:
                record = _record(repository, track, notes)
            except WrongValue as wrong:
                got = f"{wrong.got} in {_shown(track.path)}"
                yield number, WrongValue(wrong.field, wrong.expected, got).at(number)
            else:
                if record:
                    yield number, record


@dataclass(slots=True)
class _Track:
    """One file: its path now, and the commits that changed it with what it was then, the newest first."""

    path: bytes
    changes: list[tuple[Commit, str]] = field(default_factory=list)


class _Walk:
    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._trees: dict[str, dict[bytes, Entry]] = {}

    def tracks(self) -> list[_Track]:
        ids = self.repository.commits()
        commit: Commit | None = self.repository.commit(ids[0])
        assert commit is not None
        files = self._changed(None, self._root(commit))
        if len(files) > MAX_FILES:
            raise self._too_many("files", MAX_FILES)
        tracks = [_Track(path) for path in sorted(files)]
        alive = {track.path: track for track in tracks}
        changes = 0
        for parent_id in [*ids[1:], None]:
            parent = self.repository.commit(parent_id) if parent_id else None
            before = self._root(parent) if parent else None
            changed = self._changed(before, self._root(commit))
            gone = {old: path for path, (old, new) in sorted(changed.items()) if old and not new}
            for path, (old, new) in changed.items():
                track = alive.get(path)
                if track is None or not new:
                    continue
                track.changes.append((commit, new))
                changes += 1
                if old is None:
                    del alive[path]
                    former = gone.pop(new, None)
                    if former is not None and former not in alive:
                        alive[former] = track
            if changes > MAX_CHANGES:
                raise self._too_many("changes of files", MAX_CHANGES)
            if parent is None or not alive:
                break
            commit = parent
        return tracks

    def _root(self, commit: Commit) -> str | None:
        """The tree of the folder in a commit; None where it was not there."""
        found = commit.tree
        for part in filter(None, self.repository.prefix.split(b"/")):
            entry = self._tree(found).get(part)
            if entry is None or not entry.is_tree:
                return None
            found = entry.id
        return found

    def _changed(
        self, before: str | None, after: str | None, folder: bytes = b"", depth: int = 0
    ) -> dict[bytes, tuple[str | None, str | None]]:
        """Files that differ between two trees: what each was and is, None where there was, or is, none."""
        if before == after:
            return {}
        if depth > _MAX_DEPTH:
            raise self._too_many("levels of folders", _MAX_DEPTH)
        old, new = self._tree(before), self._tree(after)
        found: dict[bytes, tuple[str | None, str | None]] = {}
        for name in sorted(old.keys() | new.keys()):
            was, now = old.get(name), new.get(name)
            if was == now or name.startswith(b".") or b"/" in name:
                continue
            trees = [one.id if one and one.is_tree else None for one in (was, now)]
            if any(trees):
                found |= self._changed(trees[0], trees[1], folder + name + b"/", depth + 1)
            if name.lower().endswith(_ENDINGS):
                blobs = [one.id if one and one.is_file else None for one in (was, now)]
                if blobs[0] != blobs[1]:
                    found[folder + name] = blobs[0], blobs[1]
        return found

    def _tree(self, key: str | None) -> dict[bytes, Entry]:
        if key is None:
            return {}
        if key not in self._trees:
            if len(self._trees) >= _KEPT_TREES:
                self._trees.clear()
            self._trees[key] = {entry.name: entry for entry in self.repository.tree(key)}
        return self._trees[key]

    def _too_many(self, what: str, most: int) -> ImportFileError:
        return ImportFileError(f"{self.repository.folder}: expected at most {most:,} {what}, got more.")


_ENDINGS: Final = tuple(suffix.encode() for suffix in SUFFIXES)


def _record(repository: Repository, track: _Track, notes: list[str]) -> PromptRecord | None:
    """Raises ``WrongValue`` where the file as it is now is no prompt; of earlier ones that is a note."""
    path = _text(track.path)
    newest = _file(repository, track.changes[0][1], path)
    if newest is None:
        notes.append(f"{path} is not imported: it has no front matter.")
        return None
    versions: list[VersionRecord] = []
    for commit, blob in reversed(track.changes):
        try:
            file = _file(repository, blob, path)
            if file is None or file.type != newest.type:
                raise WrongValue("type", newest.type, "something else")
        except WrongValue:
            notes.append(f"{path}: what commit {commit.id[:12]} made of it is no version of this prompt.")
            continue
        if versions and versions[-1].payload.hash == file.payload.hash:
            continue
        versions.append(
            VersionRecord(
                number=len(versions) + 1,
                payload=file.payload,
                message=_message(commit),
                author=Person(_decode(commit.author, commit)[:255], _decode(commit.email, commit)[:255]),
                created_at=datetime.fromtimestamp(commit.time, UTC),
                parent=len(versions) or None,
            )
        )
    record = PromptRecord(**newest.fields, type=newest.type, versions=versions, owner=versions[0].author)
    record.is_foreign = True
    record.created_at = versions[0].created_at
    record.updated_at = datetime.fromtimestamp(track.changes[0][0].time, UTC)
    return record


def _file(repository: Repository, blob: str, path: str) -> markdown.File | None:
    """None of a README without front matter."""
    content = repository.blob(blob)
    if content is None:
        raise WrongValue("file", "a file of a usual size", "one that is larger, or missing")
    text = decode(content)
    if path.rpartition("/")[2].lower() in _READMES and not markdown.has_front_matter(text):
        return None
    return markdown.load(text, path)


def _message(commit: Commit) -> str:
    return _decode(commit.message, commit).strip()[:_MAX_MESSAGE]


def _decode(value: bytes, commit: Commit) -> str:
    try:
        text = value.decode(commit.encoding, errors="replace")
    except (LookupError, UnicodeError):
        text = value.decode(errors="replace")
    return text.replace("\0", "").encode(errors="replace").decode()


def _text(path: bytes) -> str:
    """A path may have any bytes, a name of a prompt may not."""
    return path.decode(errors="replace")


def _shown(path: bytes) -> str:
    return _text(path)[:300]
