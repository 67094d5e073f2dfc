"""JSON that is taken at its word, and lines of it, one in memory at a time."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from .problems import ImportFileError, Refusal

# A line is a prompt with its whole history, and what cannot be read back is not written.
MAX_LINE: Final = 256 * 1024 * 1024
_MARK: Final = b"\xef\xbb\xbf"

Records = Iterator[tuple[int, dict[str, Any] | Refusal]]


def parse_json(text: str) -> Any:
    """Raises ``ValueError`` for what is no JSON, members that come twice, and numbers that are not finite."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"expected a finite number, got {constant}")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refuse(digits[:40])

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_lines(file: Iterable[bytes] | IO[bytes]) -> Records:
    """The objects of lines that are not blank, with their numbers from 1, or why a line is none."""
    for number, line in enumerate(_bounded(file), start=1):
        if line is None:
            yield number, Refusal(number, "row", f"a line of at most {MAX_LINE:,} bytes", "a longer one")
            continue
        text = line.removeprefix(_MARK) if number == 1 else line
        if text.strip():
            yield number, _parse_line(number, text)


def open_file(path: Path) -> IO[bytes]:
    """Raises ``ImportFileError`` where it is no file that can be read."""
    try:
        return path.open("rb")
    except OSError as error:
        raise ImportFileError(f"{path}: cannot be read: {error.strerror}.") from error


def dump_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _bounded(file: Iterable[bytes] | IO[bytes]) -> Iterator[bytes | None]:
    """Lines; None in place of one that is too long, which is never in memory as a whole."""
    if not hasattr(file, "readline"):
        yield from file
        return
    while line := file.readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(1 << 20)
        yield None


def _parse_line(number: int, line: bytes) -> dict[str, Any] | Refusal:
    try:
        record = parse_json(line.decode())
    except UnicodeDecodeError as error:
        got = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        return Refusal(number, "row", "UTF-8 text", got)
    except ValueError as error:
        text = line[:80].decode(errors="replace").strip()
        return Refusal(number, "row", "a JSON object", str(error) if "twice" in str(error) else text)
    if not isinstance(record, dict):
        return Refusal(number, "row", "a JSON object", type(record).__name__)
    return record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice[:80]!r} twice")
    return found
