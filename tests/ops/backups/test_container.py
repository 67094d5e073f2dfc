"""The file of a backup: read back as it was written, and by other programs; nothing else is taken for one."""

import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
import zstandard

from ops.backups import container
from ops.backups.errors import BackupProblem, DamagedBackup, WrongKey

ALLOWED = {"about.json": 100, "database.db": 3_000_000, "manifest.json": 100}
CONTENT = random.Random(1).randbytes(1_300_001) + bytes(1_000_000)


@pytest.fixture(params=["plain", "encrypted"])
def identity(request: pytest.FixtureRequest) -> pyrage.x25519.Identity | None:
    return pyrage.x25519.Identity.generate() if request.param == "encrypted" else None


@pytest.fixture
def file(tmp_path: Path, identity: pyrage.x25519.Identity | None) -> Path:
    made = tmp_path / "a.afnbackup"
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    with container.writing(made, [identity.to_public()] if identity else []) as (archive, _):
        archive.add_bytes("about.json", b"{}")
        archive.add_file("database.db", source)
        archive.add_bytes("manifest.json", b'{"a": 1}')
    return made


def read(file: Path, *identities: pyrage.x25519.Identity | None) -> dict[str, bytes]:
    with container.reading(file, [one for one in identities if one]) as archive:
        return {name: member.read_all() for name, _, member in archive.members(ALLOWED)}


def compressed(*parts: bytes, end: bytes = bytes(1024)) -> bytes:
    return zstandard.ZstdCompressor().compress(b"".join(parts) + end) + container._END


def header(name: str, size: int, **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def test_what_was_written_is_read(file: Path, identity: pyrage.x25519.Identity | None) -> None:
    assert read(file, identity) == {"about.json": b"{}", "database.db": CONTENT, "manifest.json": b'{"a": 1}'}
    assert file.stat().st_mode & 0o777 == 0o600


def test_other_programs_open_it(file: Path, identity: pyrage.x25519.Identity | None) -> None:
    """By the formats alone: age, zstd and tar."""
    content = file.read_bytes()
    if identity:
        content = pyrage.decrypt(content, [identity])
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == list(ALLOWED)
        member = archive.extractfile("database.db")
        assert member is not None
        assert member.read() == CONTENT


def test_a_key_of_several_opens_it(file: Path, identity: pyrage.x25519.Identity | None) -> None:
    assert read(file, pyrage.x25519.Identity.generate(), identity)["about.json"] == b"{}"


def test_without_its_key_it_stays_closed(tmp_path: Path) -> None:
    made = tmp_path / "a.afnbackup"
    recipients = [pyrage.x25519.Identity.generate().to_public()]
    with container.writing(made, recipients) as (archive, _):
        archive.add_bytes("about.json", b"{}")
    for identities in ([], [pyrage.x25519.Identity.generate()]):
        with pytest.raises(WrongKey, match="AFN_BACKUP_KEY"):
            read(made, *identities)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content, at: content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :],
        lambda content, at: content[:at],
        lambda content, at: content[:at] + content[at + 1 :],
        lambda content, at: content + content[at : at + 1],
        lambda content, at: content + content,
    ],
    ids=["a flipped bit", "cut off", "a byte less", "a byte more", "twice"],
)
def test_a_damaged_one_is_refused(
    file: Path, identity: pyrage.x25519.Identity | None, damage: Callable[[bytes, int], bytes]
) -> None:
    content = file.read_bytes()
    dice = random.Random(7)
    for at in [0, 1, 10, 50, len(content) - 1] + [dice.randrange(len(content)) for _ in range(15)]:
        file.write_bytes(damage(content, at))
        with pytest.raises((DamagedBackup, WrongKey)):
            read(file, identity)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SQLite format 3\0", id="a database"),
        pytest.param(compressed(end=b""), id="no archive"),
        pytest.param(compressed(b"x" * 512), id="no header"),
        pytest.param(compressed(header("../../etc/passwd", 2), b"{}".ljust(512, b"\0")), id="a path"),
        pytest.param(compressed(header("about.json", 101), bytes(1024)), id="larger than allowed"),
        pytest.param(compressed(header("about.json", 2**60)), id="an exabyte"),
        pytest.param(compressed(header("about.json", -1), bytes(10**6)), id="less than nothing, so all"),
        pytest.param(compressed(header("about.json", 0, type=tarfile.SYMTYPE, linkname="/etc")), id="a link"),
        pytest.param(compressed(header("about.json", 10**9, type=tarfile.XHDTYPE)), id="a long header"),
        pytest.param(compressed(header("about.json", 0), header("about.json", 0)), id="the same twice"),
        pytest.param(compressed(header("about.json", 0), end=bytes(1024) + b"x"), id="something behind"),
        pytest.param(compressed(header("about.json", 0), end=bytes(512)), id="half an end"),
        pytest.param(
            compressed(header("about.json", 0))[:-16] + compressed(bytes(10**8)), id="a bomb behind"
        ),
        pytest.param(
            zstandard.ZstdCompressor(
                compression_params=zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
            ).compress(bytes(2**29))
            + container._END,
            id="a window of 256 MB",
        ),
    ],
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.afnbackup"
    file.write_bytes(content)
    with pytest.raises(DamagedBackup):
        read(file)


def test_a_source_that_changes_its_size_is_not_taken(tmp_path: Path) -> None:
    with (
        pytest.raises(BackupProblem, match="changed its size"),
        container.writing(tmp_path / "a", []) as (archive, _),
    ):
        archive.add("database.db", io.BytesIO(b"12345"), 4)


@pytest.mark.parametrize("identity", [None, pyrage.x25519.Identity.generate()], ids=["plain", "encrypted"])
def test_an_error_in_the_block_comes_out_as_it_is(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    recipients = [identity.to_public()] if identity else []
    with pytest.raises(ZeroDivisionError), container.writing(tmp_path / "a", recipients):
        _ = 1 / 0
