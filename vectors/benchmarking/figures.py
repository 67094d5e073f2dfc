"""What was measured, turned into the figures that are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from vectors.benchmarking.measuring import Matrix
from vectors.benchmarking.truth import Similarities, recall

FIGURES: Final = (
    *("p50_ms", "p95_ms", "qps", "recall_at_k", "build_rows_s", "insert_ms", "bytes_per_row", "rss_mb"),
    *("file_bytes_per_row", "serving_rss_mb", "queries", "cpu_share"),
)


def not_measured(engine: str, strategy: str, error: str) -> dict[str, Any]:
    """The run of an engine without figures, and why there are none."""
    return {"engine": engine, "strategy": strategy, **dict.fromkeys(FIGURES), "error": error}


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows the truth: float32 rows (n, d) and queries (m, d), and how near the k-th is to each, (m,)."""

    rows: Matrix
    queries: Matrix
    kth: Similarities
    k: int

    def runs(self, engine: str, found: dict[str, Any]) -> list[dict[str, Any]]:
        """A run for each way that one process searched by."""
        return [self._run(engine, found, way) for way in found["ways"]]

    def _run(self, engine: str, found: dict[str, Any], way: dict[str, Any]) -> dict[str, Any]:
        times, count = np.array(way["times_ms"]), len(self.rows)
        run = {
            "engine": engine,
            "strategy": way["strategy"],
            "p50_ms": round(float(np.median(times)), 3),
            "p95_ms": round(float(np.percentile(times, 95)), 3),
            "qps": round(1000 / float(times.mean()), 1),
            "recall_at_k": round(recall(way["found"], self.rows, self.queries, self.kth, self.k), 4),
            "build_rows_s": round(count / found["build_s"]),
            "insert_ms": _rounded(found["insert_ms"], 3),
            "bytes_per_row": round(found["disk_bytes"] / count, 1),
            "rss_mb": _rounded(found["peak_mb"], 1),
            "file_bytes_per_row": round(found["file_bytes"] / count, 1),
            "serving_rss_mb": _rounded(found.get("serving_rss_mb"), 1),
            "queries": len(times),
            "cpu_share": _rounded(way["cpu_share"], 2),
        }
        extra = {name: way[name] for name in ("used", "scanned", "reranked") if name in way}
        return run | extra | {name: found[name] for name in ("insert_error",) if name in found}


def _rounded(figure: float | None, digits: int) -> float | None:
    """None stands for what cannot be said of an engine."""
    return None if figure is None else round(figure, digits)
