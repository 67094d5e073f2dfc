"""All backups there are, in the folder and in the bucket, and where each of them is."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import folder, s3, uploads
from .errors import BackupProblem
from .folder import StoredBackup
from .making import Progress, silent
from .names import BackupName
from .staging import check_space, staging


@dataclass
class Known:
    """A backup that is in the folder (``here``), in the bucket (``there``), or in both."""

    name: BackupName
    here: StoredBackup | None = None
    there: s3.Stored | None = None

    @property
    def bytes(self) -> int:
        return self.here.bytes if self.here else self.there.bytes if self.there else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": str(self.name),
            "path": str(self.here.path) if self.here else None,
            "address": s3.address(self.name) if self.there else None,
            "environment": self.name.environment,
            "created_at": self.name.moment.isoformat(),
            "bytes": self.bytes,
            "encrypted": self.here.encrypted if self.here else None,
        }


@dataclass
class Catalogue:
    """The newest first. ``problem``: why the bucket, if there is one, could not be read."""

    backups: list[Known] = field(default_factory=list)
    problem: str = ""


def read(environment: str = "") -> Catalogue:
    found = {one.name: Known(one.name, here=one) for one in folder.stored(environment)}
    problem = ""
    try:
        for one in s3.stored(environment) if s3.is_configured() else []:
            found.setdefault(one.name, Known(one.name)).there = one
    except BackupProblem as error:
        problem = str(error)
    return Catalogue(sorted(found.values(), key=lambda one: one.name, reverse=True), problem)


def publish(path: Path, progress: Progress = silent) -> str:
    """Bring a backup into the bucket, and before it those that it lacks: its address, empty without a bucket.

    Raises ``BackupProblem``; what is in the folder stays there, and the next call goes on.
    """
    if not s3.is_configured():
        return ""
    name = BackupName.checked(path.name)
    there = {one.name for one in s3.stored(name.environment)}
    newest = max(there, default=None)
    missing = [
        one.path
        for one in reversed(folder.stored(name.environment))
        if one.name not in there and (newest is None or one.name > newest) and one.path != path
    ]
    address = ""
    for one in [*missing, path]:
        address = s3.upload(one, lambda done, total: progress("Uploading", done, total))
        uploads.remember(BackupName.checked(one.name))
    return address


def fetch(text: str, progress: Progress = silent) -> Path:
    """The file of a backup, by its path or its name; what only the bucket has is brought to the folder.

    Raises ``BackupProblem``.
    """
    try:
        return folder.find(text)
    except BackupProblem:
        name = BackupName.read(Path(text.removeprefix("s3://")).name)
        there = {one.name: one for one in s3.stored()} if s3.is_configured() and name else {}
        if name is None or name not in there:
            raise
    with staging(folder.folder()) as place:
        check_space(place, there[name].bytes)
        s3.download(name, place / "fetched", lambda done, total: progress("Downloading", done, total))
        return folder.put(place / "fetched", name)


def newest(environment: str, progress: Progress = silent) -> Path:
    """The newest backup of an environment. Raises ``BackupProblem`` where there is none."""
    for one in read(environment).backups:
        return fetch(str(one.name), progress)
    raise BackupProblem(
        f"There is no backup of {environment} in {folder.folder()}. `manage.py backup_database` makes one."
    )
