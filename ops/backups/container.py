"""The file of a backup: a tar archive, compressed by zstd, encrypted by age where there is a key.

All three are formats that other programs read, so that a backup can be opened without AFN:

    age --decrypt --identity KEY prod-….afnbackup | zstd --decompress | tar --extract

What is read may come from anybody. So only plain files of the names that are expected are taken, none is
written under a name from the archive, and no more is read than was announced and allowed: neither a
compressed bomb nor a header of a gigabyte is unpacked. zstd has a checksum, age is authenticated.
"""

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pyrage
import zstandard
from pyrage.x25519 import Identity, Recipient

from .errors import BackupProblem, DamagedBackup, NoSpace, WrongKey

_AGE: Final = b"age-encryption.org/"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# A frame that zstd skips. Without it, the loss of the last few bytes would not be noticed.
_END: Final = b"\x50\x2a\x4d\x18" + (8).to_bytes(4, "little") + b"AFN end\n"
_BLOCK: Final = tarfile.BLOCKSIZE
_PIECE: Final = 1 << 20
# Of memory that the decompressor may take for looking back.
_WINDOW: Final = 1 << 27
_LEVEL: Final = 3
Told = Callable[[int], None]


class Writer:
    """Adds members to an archive that is being written, one after the other."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.hashes: dict[str, str] = {}

    def add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, file: Path, told: Told = lambda count: None) -> None:
        with file.open("rb") as opened:
            self.add(name, opened, os.fstat(opened.fileno()).st_size, told)

    def add(self, name: str, source: BinaryIO, size: int, told: Told = lambda count: None) -> None:
        """`told` hears how many bytes were read, time and again."""
        header = tarfile.TarInfo(name)
        header.size, header.mode = size, 0o600
        self._stream.write(header.tobuf(tarfile.GNU_FORMAT))
        digest, left = hashlib.sha256(), size
        while left and (piece := source.read(min(_PIECE, left))):
            digest.update(piece)
            self._stream.write(piece)
            left -= len(piece)
            told(len(piece))
        if left or source.read(1):
            raise BackupProblem(f"{name} changed its size while it was read. Try again.")
        self._stream.write(bytes(-size % _BLOCK))
        self.hashes[name] = digest.hexdigest()


class Reader:
    """Gives the members of an archive, which has to be read from its beginning to its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.hashes: dict[str, str] = {}

    def members(self, allowed: Mapping[str, int]) -> Iterator[tuple[str, int, "Member"]]:
        """Each member's name, size and content; `allowed` says which there may be, and of what size at most.

        What is not read of a member is skipped. Raises ``DamagedBackup``.
        """
        seen: set[str] = set()
        while header := self._header():
            if header.name not in allowed or header.name in seen or header.type != tarfile.REGTYPE:
                raise DamagedBackup(f"Not a backup: it holds {header.name[:80]!r}, which none does there.")
            # Below zero, which a header may say, would be all that there is.
            if not 0 <= header.size <= allowed[header.name]:
                raise DamagedBackup(
                    f"{header.name}: expected {allowed[header.name]:,} bytes at most, it has {header.size:,}."
                )
            seen.add(header.name)
            member = Member(self._stream, header.size)
            yield header.name, header.size, member
            member.skip()
            self.hashes[header.name] = member.digest.hexdigest()
            _exactly(self._stream, -header.size % _BLOCK)

    def _header(self) -> tarfile.TarInfo | None:
        block = _exactly(self._stream, _BLOCK)
        if block == bytes(_BLOCK):
            if _exactly(self._stream, _BLOCK) != bytes(_BLOCK) or self._stream.read(1):
                raise DamagedBackup("Something follows the end of the backup.")
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise DamagedBackup("Not a backup: what is in it cannot be read.") from error


class Member:
    """What one member holds. ``digest`` is the SHA-256 of what was read so far."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size
        self.digest = hashlib.sha256()

    def read(self, size: int = _PIECE) -> bytes:
        """Up to so many bytes; none at the end."""
        piece = _exactly(self._stream, min(size, self._left))
        self._left -= len(piece)
        self.digest.update(piece)
        return piece

    def read_all(self) -> bytes:
        return b"".join(iter(self.read, b""))

    def skip(self) -> None:
        while self.read():
            pass


@contextmanager
def writing(file: Path, recipients: Sequence[Recipient]) -> Iterator[tuple[Writer, Callable[[], str]]]:
    """A new file, readable by its owner alone; and a function that tells its SHA-256 after the block.

    Raises ``NoSpace`` for a full disk, ``BackupProblem`` for others; the caller removes the file then.
    """
    digest = hashlib.sha256()
    try:
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw:
            target = cast(BinaryIO, _Hashing(raw, digest))
            with _encrypting(target, recipients) if recipients else _as_it_is(target) as stream:
                compressor = zstandard.ZstdCompressor(_LEVEL, write_checksum=True, threads=2)
                with compressor.stream_writer(stream, closefd=False) as compressed:
                    yield Writer(cast(BinaryIO, compressed)), digest.hexdigest
                    compressed.write(bytes(2 * _BLOCK))
                stream.write(_END)
            raw.flush()
            os.fsync(raw.fileno())
    except OSError as error:
        raise failure(file, error) from error


@contextmanager
def reading(file: Path, identities: Sequence[Identity]) -> Iterator[Reader]:
    """The members of a backup. Raises ``DamagedBackup`` or ``WrongKey``, at the latest when all is read."""
    try:
        with file.open("rb") as raw:
            start = raw.read(len(_AGE))
            raw.seek(0)
            if start == _AGE:
                source = _decrypting(raw, identities)
            elif start.startswith(_ZSTD):
                _check_end(raw)
                source = _as_it_is(raw)
            else:
                raise DamagedBackup(f"{file.name} is no backup of AFN.")
            with source as stream:
                decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
                with decompressor.stream_reader(stream, read_across_frames=True, closefd=False) as opened:
                    yield Reader(cast(BinaryIO, opened))
    except zstandard.ZstdError as error:
        raise DamagedBackup(f"{file.name} is not as it was written. Take another backup.") from error
    except FileNotFoundError as error:
        raise BackupProblem(f"There is no {file}. `manage.py list_backups` shows what there is.") from error
    except OSError as error:
        raise BackupProblem(f"{file} cannot be read: {error.strerror or error}.") from error


def is_encrypted(file: Path) -> bool:
    with file.open("rb") as raw:
        return raw.read(len(_AGE)) == _AGE


def failure(file: Path, error: OSError) -> BackupProblem:
    """What an error of the file system means for who writes a backup."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace(f"{file.parent}: the disk is full. Nothing was kept: free space and try again.")
    return BackupProblem(f"{file}: cannot be written: {error.strerror or error}.")


def _check_end(raw: BinaryIO) -> None:
    raw.seek(-min(len(_END), os.fstat(raw.fileno()).st_size), os.SEEK_END)
    if raw.read() != _END:
        raise DamagedBackup(
            "The backup does not end as one does: it was cut off or changed. Take another one."
        )
    raw.seek(0)


@contextmanager
def _as_it_is(stream: BinaryIO) -> Iterator[BinaryIO]:
    yield stream


class _Pump(threading.Thread):
    """Moves bytes between a file and a pipe through age, which wants to read and write by itself."""

    def __init__(self, work: Callable[[], None], own_end: BinaryIO) -> None:
        super().__init__(daemon=True, name="backup-age")
        self._work, self._own_end = work, own_end
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised by who waits for this thread
            self.error = error
        finally:
            with suppress(OSError):
                self._own_end.close()


@contextmanager
def _encrypting(target: BinaryIO, recipients: Sequence[Recipient]) -> Iterator[BinaryIO]:
    read, write = (open(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))  # noqa: SIM115
    pump = _Pump(lambda: pyrage.encrypt_io(read, target, list(recipients)), cast(BinaryIO, read))
    pump.start()
    try:
        yield cast(BinaryIO, write)
        write.close()
    except BrokenPipeError:
        pass  # the pump has ended, and knows why
    except BaseException:
        with suppress(OSError):
            write.close()
        pump.join()
        raise
    pump.join()
    if pump.error is not None:
        cause: Any = pump.error
        raise cause if isinstance(cause, OSError) else BackupProblem(f"It could not be encrypted: {cause}.")


@contextmanager
def _decrypting(source: BinaryIO, identities: Sequence[Identity]) -> Iterator[BinaryIO]:
    if not identities:
        raise WrongKey("The backup is encrypted. Set AFN_BACKUP_KEY to the key that it was made with.")
    read, write = (open(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))  # noqa: SIM115
    pump = _Pump(lambda: pyrage.decrypt_io(source, write, list(identities)), cast(BinaryIO, write))
    pump.start()
    try:
        yield cast(BinaryIO, read)
    except BaseException:
        read.close()
        pump.join()
        if isinstance(pump.error, pyrage.DecryptError):
            raise _refused(pump.error) from pump.error
        raise
    # What is left is read too: only at its end does age know that nothing was cut off.
    while read.read(_PIECE):
        pass
    read.close()
    pump.join()
    if pump.error is not None:
        raise _refused(pump.error) from pump.error


def _refused(error: BaseException) -> BackupProblem:
    if "key" in str(error).lower():
        return WrongKey(
            "The backup is encrypted for another key than AFN_BACKUP_KEY. Set the one it was made with."
        )
    return DamagedBackup("The backup is not as it was written: changed or cut off. Take another one.")


class _Hashing:
    """Passes on what is written, and takes its hash."""

    def __init__(self, target: BinaryIO, digest: Any) -> None:
        self._target, self._digest = target, digest

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, however few come at once."""
    pieces = []
    while size:
        if not (piece := stream.read(size)):
            raise DamagedBackup("The backup ends too early: it was cut off or changed. Take another one.")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
