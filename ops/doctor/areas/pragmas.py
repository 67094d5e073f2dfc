"""How the database keeps what is written, and on which kind of disk."""

from pathlib import Path
from typing import Final

import psutil
from django.db import DEFAULT_DB_ALIAS, connections

from ..examining import Case
from ..findings import Notes
from ..reading import expected_pragmas

# As SQLite answers, by the words that set it.
_ANSWERS: Final = {"OFF": "0", "ON": "1", "NORMAL": "1", "FULL": "2", "EXTRA": "3"}
_CAUSES: Final = {
    "journal_mode": "Without a write-ahead log readers and writers wait for each other.",
    "foreign_keys": "References to rows that are gone would be taken.",
    "synchronous": "A crash of the machine could lose, or damage, more than it has to.",
}
_NETWORK: Final = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afpfs", "webdav", "ceph", "glusterfs", "lustre",
    "fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "davfs",
)  # fmt: skip


def look(notes: Notes, case: Case) -> None:
    if (file := case.file) is None:
        return  # a server keeps its own
    expected = expected_pragmas(case.entry)
    for name, cause in _CAUSES.items():
        wanted = _ANSWERS.get(expected[name].upper(), expected[name].lower()) if name in expected else None
        if wanted is None:
            continue
        found = _pragma(name)
        if found == wanted:
            notes.ok(name, expected[name])
        else:
            notes.problem(
                name,
                f"{found}; AFN sets {expected[name]}",
                cause,
                "End whatever else has the file open, then run `manage.py health`, which opens it as "
                "every process of AFN does. On a network's file system it cannot be set: move the file.",
            )
    _look_at_page_size(notes, expected.get("page_size"))
    _look_at_file_system(notes, file)


def _look_at_page_size(notes: Notes, wanted: str | None) -> None:
    found = _pragma("page_size")
    if wanted in (None, found):
        notes.ok("page_size", found)
    else:
        notes.warn(
            "page_size",
            f"{found}; a file that AFN makes has {wanted}",
            "Vectors take up to a third more room. Nothing is wrong otherwise.",
            "It is fixed when a file is made. Leave it; never VACUUM a file with a built-in vector index.",
        )


def _look_at_file_system(notes: Notes, file: Path) -> None:
    kind = file_system(file)
    if kind in _NETWORK:
        notes.problem(
            "file system",
            f"{file} is on {kind}",
            "The write-ahead log needs memory that all processes share, which networks have not: writers "
            "on two machines damage the file.",
            "Move it to a local disk (AFN_DATABASE_FILE), or use a libSQL server (TURSO_DATABASE_URL).",
        )
    else:
        notes.ok("file system", kind or "not known")


def file_system(file: Path) -> str:
    """The kind of the file system that a path is on, by the longest of the places where one begins."""
    path = file.absolute()
    mounts = [one for one in psutil.disk_partitions(all=True) if path.is_relative_to(one.mountpoint)]
    return max(mounts, key=lambda one: len(one.mountpoint)).fstype if mounts else ""


def _pragma(name: str) -> str:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")  # one of the names above
        row = cursor.fetchone()
    return str(row[0]) if row else ""
