"""What would take so long that it is left out."""

from __future__ import annotations

from typing import Final

from vectors.benchmarking.errors import NotMeasured

# libSQL's own index takes two milliseconds a row to build.
DISKANN_ROWS: Final = 50_000


def check_diskann(rows: int) -> None:
    """Raises NotMeasured where libSQL's own index would have more rows than that."""
    if rows > DISKANN_ROWS:
        most = f"{DISKANN_ROWS:,} rows are the most"
        raise NotMeasured(f"left out: its index takes some 2 ms a row to build, so {most}, not {rows:,}")
