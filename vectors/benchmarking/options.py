"""What to measure, as asked for on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vectors.benchmarking.errors import InvalidBenchmark
from vectors.errors import shown
from vectors.limits import MAX_K
from vectors.strategies import STRATEGIES


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure: a file or a recipe (see `dataset`), by which strategies, with peers or without."""

    dataset: Path | None = None
    synthetic: str | None = None
    rows: int | None = None
    k: int = 10
    strategies: Sequence[str] = STRATEGIES
    peers: bool = False
    peers_python: Path | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        if (self.dataset is None) == (self.synthetic is None):
            got = "neither" if self.dataset is None else "both"
            raise InvalidBenchmark("--dataset", "either it or --synthetic", got)
        if self.rows is not None and self.dataset is None:
            raise InvalidBenchmark(
                "--rows", "a number of rows of --dataset", "--synthetic, which has its own"
            )
        if not 1 <= self.k <= MAX_K:
            raise InvalidBenchmark("--k", f"an integer from 1 to {MAX_K:,}", f"{self.k:,}")
        if unknown := [name for name in self.strategies if name not in STRATEGIES]:
            raise InvalidBenchmark("--strategies", f"some of {','.join(STRATEGIES)}", shown(unknown[0]))
        if not self.strategies:
            raise InvalidBenchmark("--strategies", f"some of {','.join(STRATEGIES)}", "none")
