"""What a backup says of itself: first what it is of, at the end what a restored one has to hold."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.environments.base import NAME

from .errors import DamagedBackup, Unsuitable
from .fingerprints import Fingerprint
from .probes import Probe

FORMAT: Final = 1
ABOUT, DATABASE, REDIS, MANIFEST = "about.json", "database.db", "redis.rdb", "manifest.json"
# Of the two texts; of the others `about.json` says how long they are.
TEXT_BYTES: Final = 16_000_000
Engine = Literal["file", "encrypted file", "server", "turso"]
# Shown where a backup does not fit.
Migration = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9_.]+$")]
_TOOLS: Final = ("django", "libsql", "pyrage", "zstandard")


class About(BaseModel):
    """The first member. ``database_key`` tells by which key the database in it is encrypted, if it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    created_at: datetime
    environment: str = Field(pattern=rf"^{NAME.pattern}$")
    engine: Engine
    database_key: str = Field("", max_length=64)
    database_bytes: int = Field(ge=0)
    redis_bytes: int | None = Field(None, ge=0)
    migrations: list[Migration] = Field(max_length=10_000)
    tools: dict[str, str] = {}


@dataclass(frozen=True)
class Manifest:
    """The last member: of each table how many rows and their hash, what searches found, and the hashes of
    the other members (SHA-256)."""

    tables: dict[str, Fingerprint]
    schema: str
    probes: list[Probe] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode()


class _Table(BaseModel):
    rows: int = Field(ge=0)
    hash: str = Field(max_length=64)


class _Probe(BaseModel):
    collection: str
    key: str
    mode: Literal["semantic", "keyword"]
    found: list[tuple[str, float]]


class _Manifest(BaseModel):
    tables: dict[str, _Table]
    schema_: str = Field(alias="schema", max_length=64)
    probes: list[_Probe]
    members: dict[str, str]


def tools() -> dict[str, str]:
    """The versions of what made a backup, to look at where one cannot be restored."""
    return {"python": platform.python_version()} | {name: version(name) for name in _TOOLS if _is_there(name)}


def read_about(content: bytes) -> About:
    """Raises ``DamagedBackup``, or ``Unsuitable`` for the format of a later AFN."""
    try:
        values = json.loads(content)
        if isinstance(values, dict) and values.get("format") != FORMAT:
            raise Unsuitable(
                f"{ABOUT}: expected format {FORMAT}, got {str(values.get('format'))[:20]!r}. A newer AFN "
                "made this backup: install that version to read it."
            )
        return About.model_validate(values)
    except (ValueError, RecursionError) as error:
        raise DamagedBackup(f"{ABOUT} is not that of a backup{_where(error)}.") from error


def read_manifest(content: bytes, hashes: Mapping[str, str]) -> Manifest:
    """Raises ``DamagedBackup``, also where the members that were read (`hashes`) are not those it names."""
    try:
        found = _Manifest.model_validate_json(content)
    except ValidationError as error:
        raise DamagedBackup(f"{MANIFEST} is not that of a backup{_where(error)}.") from error
    expected = {name: hash_ for name, hash_ in hashes.items() if name != MANIFEST}
    if found.members != expected:
        raise DamagedBackup("What is in the backup is not what its manifest names. Take another one.")
    return Manifest(
        {name: Fingerprint(one.rows, one.hash) for name, one in found.tables.items()},
        found.schema_,
        [Probe(one.collection, one.key, one.mode, one.found) for one in found.probes],
        found.members,
    )


def rows(tables: Mapping[str, Fingerprint]) -> int:
    return sum(one.rows for one in tables.values())


def missing_migrations(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    return sorted(set(wanted) - set(there))


def _is_there(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _where(error: Exception) -> str:
    """The field that is wrong; not its value, which may be anything."""
    if isinstance(error, ValidationError):
        first: Any = error.errors(include_url=False, include_input=False)[0]
        return f" ({'.'.join(map(str, first['loc']))[:100]}: {first['msg']})"
    return ""
