"""Reading a backup to its end: nothing of it counts before all of it was read and found whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from . import keys, manifest
from .container import Member, reading
from .errors import BackupProblem, DamagedBackup
from .making import Progress, silent
from .manifest import About, Manifest
from .staging import check_space


@dataclass(frozen=True)
class Unpacked:
    """What a backup says of itself, all of whose bytes were found to be those that were written."""

    about: About
    manifest: Manifest

    def as_json(self) -> dict[str, Any]:
        return {
            **self.about.model_dump(mode="json", exclude={"migrations"}),
            "tables": {name: one.rows for name, one in self.manifest.tables.items()},
            "probes": len(self.manifest.probes),
        }


def read_about(file: Path) -> About:
    """What a backup is of, from its beginning alone. Whether it is whole only `unpack` tells."""
    with reading(file, keys.identities()) as archive:
        for _, _, member in archive.members({manifest.ABOUT: manifest.TEXT_BYTES}):
            return manifest.read_about(member.read_all())
    raise DamagedBackup(f"{file.name} is empty.")


def unpack(
    file: Path, database: Path | None = None, progress: Progress = silent, *, redis: Path | None = None
) -> Unpacked:
    """Read all of a backup; the database in it is written to `database`, and what Redis held to `redis`,
    neither of which is there yet.

    Raises ``DamagedBackup``, ``WrongKey`` or ``NoSpace``; the caller removes what was written then.
    """
    allowed = {manifest.ABOUT: manifest.TEXT_BYTES}
    texts: dict[str, bytes] = {}
    about: About | None = None
    with reading(file, keys.identities()) as archive:
        for name, size, member in archive.members(allowed):
            if about is None and name != manifest.ABOUT:
                raise DamagedBackup(f"{file.name} does not begin with what it is of.")
            if name == manifest.DATABASE and about is not None:
                if size != about.database_bytes:
                    raise DamagedBackup(f"{name}: expected {about.database_bytes:,} bytes, it has {size:,}.")
                _write(member, size, database, progress)
            elif name == manifest.REDIS:
                _write(member, size, redis, silent)
            elif name in (manifest.ABOUT, manifest.MANIFEST):
                texts[name] = member.read_all()
            if about is None:
                about = manifest.read_about(texts[manifest.ABOUT])
                allowed |= {manifest.DATABASE: about.database_bytes, manifest.MANIFEST: manifest.TEXT_BYTES}
                if about.redis_bytes is not None:
                    allowed[manifest.REDIS] = about.redis_bytes
    if about is None or set(archive.hashes) != set(allowed):
        missing = ", ".join(sorted(set(allowed) - set(archive.hashes)))
        raise DamagedBackup(f"{file.name} lacks {missing}. Take another backup.")
    return Unpacked(about, manifest.read_manifest(texts[manifest.MANIFEST], archive.hashes))


def _write(member: Member, size: int, target: Path | None, progress: Progress) -> None:
    if target is None:
        _copy(member, size, None, progress)
        return
    check_space(target.parent, size)
    try:
        with target.open("xb") as opened:
            target.chmod(0o600)
            _copy(member, size, opened, progress)
    except OSError as error:
        raise BackupProblem(f"{target}: cannot be written: {error.strerror}.") from error


def _copy(member: Member, size: int, target: BinaryIO | None, progress: Progress) -> None:
    done = 0
    while piece := member.read():
        if target is not None:
            target.write(piece)
        done += len(piece)
        progress("Unpacking", done, size)
