"""The whole benchmark: data, truth, AFN by each strategy, the peers; all temporary, each in its process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from vectors.benchmarking.dataset import Dataset, from_file, from_recipe
from vectors.benchmarking.errors import InvalidBenchmark
from vectors.benchmarking.figures import Judge
from vectors.benchmarking.machine import describe
from vectors.benchmarking.options import Options
from vectors.benchmarking.peers import PEERS, find_installed, measure_peers
from vectors.benchmarking.strategies import measure_strategies
from vectors.benchmarking.truth import kth_similarities

_PREFIX: Final = "afn-benchmark-vectors-"


def run(options: Options) -> dict[str, Any]:
    """Measure: {"machine", "dataset", "rows", "dims", "k", "runs"}.

    What is temporary lies in one folder, which is gone in the end, however that comes about. Raises
    InvalidBenchmark for what was asked for, NotMeasured where AFN cannot be measured at all.
    """
    installed = find_installed(options.peers_python, quiet=options.quiet) if options.peers else None
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder, data = Path(name), Path(name, "data")
        data.mkdir()
        dataset = _dataset(options, data)
        if options.k > dataset.rows:
            raise InvalidBenchmark("--k", f"at most the number of rows, {dataset.rows:,}", f"{options.k:,}")
        rows, queries = dataset.read_rows(), dataset.read_queries()
        kth = kth_similarities(rows, queries, options.k, quiet=options.quiet)
        judge = Judge(rows, queries, kth, options.k)
        runs = measure_strategies(options, judge, data, folder)
        versions: dict[str, str] = {}
        if installed:
            others, versions = measure_peers(PEERS, installed, judge, data, folder, runs, quiet=options.quiet)
            runs += others
        return {
            "machine": describe(versions),
            "dataset": dataset.source,
            "rows": dataset.rows,
            "dims": dataset.dims,
            "k": options.k,
            "runs": runs,
        }


def _dataset(options: Options, folder: Path) -> Dataset:
    if options.dataset is not None:
        return from_file(options.dataset, folder, rows=options.rows, quiet=options.quiet)
    return from_recipe(options.synthetic or "", folder, quiet=options.quiet)
