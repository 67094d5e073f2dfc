"""The folder of the backups (AFN_BACKUPS_DIR). A backup is there under its name only when it is whole."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from .container import failure, is_encrypted
from .errors import BackupProblem
from .names import BackupName

_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class StoredBackup:
    """One backup: where it is, and what can be told of it without a key."""

    name: BackupName
    path: Path
    bytes: int
    encrypted: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "name": str(self.name),
            "path": str(self.path),
            "environment": self.name.environment,
            "created_at": self.name.moment.isoformat(),
            "bytes": self.bytes,
            "encrypted": self.encrypted,
        }


def folder() -> Path:
    return Path(settings.AFN_BACKUPS_DIR)


def stored(environment: str = "") -> list[StoredBackup]:
    """The backups that are here, the newest first; of one environment, or of all."""
    found = []
    try:
        for path in folder().iterdir():
            name = BackupName.read(path.name)
            if name is None or environment not in ("", name.environment) or path.is_symlink():
                continue
            try:
                found.append(StoredBackup(name, path, path.stat().st_size, is_encrypted(path)))
            except OSError:  # just pruned, or not ours to read: then nobody here can use it
                continue
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BackupProblem(f"AFN_BACKUPS_DIR: {folder()} cannot be read: {error.strerror}.") from error
    return sorted(found, key=lambda one: one.name, reverse=True)


def find(text: str) -> Path:
    """The file of a backup, by its path or by its name in the folder. Raises ``BackupProblem``."""
    for path in (Path(text), folder() / Path(text).name):
        if path.is_file():
            return path
    there = (
        ", ".join(str(one.name) for one in stored()[:3]) or "none yet; `manage.py backup_database` makes one"
    )
    raise BackupProblem(f"There is no backup {text[:200]!r}. The newest are: {there}.")


def put(made: Path, name: BackupName) -> Path:
    """Give a file that is whole its name in the folder, in one step; another number where that is taken."""
    while True:
        target = folder() / str(name)
        try:
            os.link(made, target)  # not `replace`, which would take an older one's place
            break
        except FileExistsError:
            name = BackupName(name.moment, name.number + 1, name.environment)
        except OSError as error:
            raise failure(target, error) from error
    sync(folder())
    return target


def sync(directory: Path) -> None:
    """Names to the disk, as `fsync` of a file brings its content there alone."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(file: Path, told: Callable[[int], None] = lambda count: None) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
            told(len(piece))
    return digest.hexdigest()
