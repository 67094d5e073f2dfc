"""Measure AFN by each strategy: processes for the parts of `afn.py`, and what they say put together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from vectors.benchmarking import afn
from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.figures import Judge, not_measured
from vectors.benchmarking.limits import check_diskann
from vectors.benchmarking.options import Options
from vectors.benchmarking.processes import folder_in, own_command, run_json
from vectors.models import StrategyName
from vectors.progress import track


def measure_strategies(options: Options, judge: Judge, data: Path, folder: Path) -> list[dict[str, Any]]:
    """A run for each strategy. Rows are written once; each then gets a copy of that database.

    Raises NotMeasured where the rows cannot be written.
    """
    runs = []
    with folder_in(folder) as home:
        loaded = home / afn.DATABASE_FILE
        load = _part("load", data, loaded, "", options)
        names = options.strategies
        for strategy in track(names, "AFN: strategies", len(names), quiet=options.quiet):
            try:
                if strategy == StrategyName.DISKANN:
                    check_diskann(len(judge.rows))
                with folder_in(home) as own:
                    database = own / afn.DATABASE_FILE
                    shutil.copyfile(loaded, database)
                    found = _measure_strategy(strategy, load, data, database, options)
            except NotMeasured as error:
                runs.append(not_measured("afn", strategy, str(error)))
            else:
                runs += judge.runs("afn", found)
    return runs


def _measure_strategy(
    strategy: str, load: dict[str, Any], data: Path, database: Path, options: Options
) -> dict[str, Any]:
    steps = [load]
    if afn.needs_preparing(strategy):
        steps.append(_part("prepare", data, database, strategy, options))
    served = _part("serve", data, database, strategy, options)
    return {
        **served,
        "build_s": sum(step["build_s"] for step in steps),
        "disk_bytes": steps[-1]["disk_bytes"],
        "file_bytes": steps[-1]["file_bytes"],
        "peak_mb": max(step["peak_mb"] for step in (*steps, served)),
    }


def _part(name: str, data: Path, database: Path, strategy: str, options: Options) -> dict[str, Any]:
    is_shown = name == "load" and not options.quiet
    part = afn.Part(
        part=name,
        data=str(data),
        database=str(database),
        strategy=strategy,
        k=options.k,
        quiet=not is_shown,
    )
    command = own_command("benchmark_vectors", "--part", "--skip-checks")
    return run_json(command, database.parent, input=json.dumps(part), is_shown=is_shown)
