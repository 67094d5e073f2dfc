"""Files of a folder that may be anybody's: no symbolic links, no devices, nothing outside, within bounds."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .problems import ImportFileError, WrongValue

MAX_FILES: Final = 100_000
MAX_DEPTH: Final = 128
MAX_FILE: Final = 16 * 1024 * 1024  # bytes: a million characters and their front matter have fewer
_HIDDEN: Final = "."


def walk(root: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Relative paths of files with these endings, in order, each with what is wrong with it or nothing.

    What is hidden (``.git``) is passed over. Raises ``ImportFileError`` where the folder cannot be read, has
    too many files or is too deep.
    """
    if not root.is_dir():
        raise ImportFileError(f"{root}: expected a folder.")
    for count, (path, problem) in enumerate(_walk(root, "", suffixes, 0), start=1):
        if count > MAX_FILES:
            raise ImportFileError(f"{root}: expected at most {MAX_FILES:,} files, got more.")
        yield path, problem


def _walk(root: Path, folder: str, suffixes: tuple[str, ...], depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        raise ImportFileError(f"{root}: expected folders of at most {MAX_DEPTH} levels, got more.")
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise ImportFileError(f"{root / folder}: cannot be read: {error.strerror}.") from error
    for entry in entries:
        path = f"{folder}{entry.name}"
        if entry.name.startswith(_HIDDEN):
            continue
        is_wanted = entry.name.lower().endswith(suffixes)
        if entry.is_symlink():
            if is_wanted or entry.is_dir():
                yield path, "a symbolic link"
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(root, f"{path}/", suffixes, depth + 1)
        elif is_wanted:
            yield path, "" if entry.is_file(follow_symlinks=False) else "something that is no file"


def read_text(root: Path, path: str, maximum: int = MAX_FILE) -> str:
    """The text of a file that `walk` named, exactly as it is. Raises ``WrongValue``, without the path."""
    content = read_bytes(root, path, maximum)
    return decode(content)


def decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise WrongValue("file", "UTF-8 text", got) from error


def read_bytes(root: Path, path: str, maximum: int = MAX_FILE) -> bytes:
    """Looked at once it is open: what `walk` saw may have been replaced since."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        number = os.open(root / path, flags)
    except OSError as error:
        got = f"one that cannot be read ({error.strerror})"
        raise WrongValue("file", "a file", got) from error
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise WrongValue("file", "a file", "something that is none")
        content = file.read(maximum + 1)
    if len(content) > maximum:
        raise WrongValue("file", f"at most {maximum:,} bytes", "more")
    return content


def shown_path(path: str) -> str:
    """A path that may have any bytes, as it can be printed."""
    return os.fsencode(path).decode(errors="replace")[:300]
