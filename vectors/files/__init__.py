"""Files of items: JSON Lines, Parquet, and NumPy arrays with a JSON Lines file beside them.

Each format is a module with `count`, `read` and `Writer`, see `vectors.files.base`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vectors.errors import InvalidFile, shown
from vectors.files import jsonl, npy, parquet
from vectors.files.base import Format

FORMATS: Final[dict[str, Format]] = {"jsonl": jsonl.FORMAT, "parquet": parquet.FORMAT, "npy": npy.FORMAT}


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of that name, or the one that the file's suffix names; raises InvalidFile."""
    wanted = path.suffix.lower().removeprefix(".") if name is None else name
    # Lines of JSON have many suffixes, and importing has always taken any.
    if name is None and wanted in ("json", "ndjson", "txt", ""):
        wanted = "jsonl"
    if wanted not in FORMATS:
        raise InvalidFile(
            "file", f"a name ending in {', '.join('.' + one for one in FORMATS)}", shown(path.name)
        )
    return FORMATS[wanted]
