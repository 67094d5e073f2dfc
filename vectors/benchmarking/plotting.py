"""Which Python draws the plot, since matplotlib is none of AFN's requirements."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from vectors.benchmarking import environment
from vectors.benchmarking.errors import InvalidBenchmark, NotMeasured
from vectors.benchmarking.processes import run_json, run_module

SUFFIXES: Final = (".svg", ".png")


def check(path: Path) -> None:
    """Raises InvalidBenchmark for a file that cannot be drawn."""
    if path.suffix not in SUFFIXES:
        raise InvalidBenchmark("--plot", f"a file name that ends with {' or '.join(SUFFIXES)}", path.name)


def find_python(peers_python: Path | None = None) -> Path:
    """One with matplotlib: this one, `peers_python`, or that of the peers; raises InvalidBenchmark."""
    if find_spec("matplotlib"):
        return Path(sys.executable)
    python = peers_python or environment.existing()
    if python and _has_matplotlib(python):
        return python
    raise InvalidBenchmark(
        "--plot",
        "matplotlib",
        "no Python that has it",
        "Add --peers, which installs it beside the peers, or run `pip install matplotlib`.",
    )


def draw(report: dict[str, Any], path: Path, python: Path) -> None:
    """Draw a report into an SVG or PNG file; raises NotMeasured where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        run_module(python, "plot", [str(path.absolute())], Path(folder), input=json.dumps(report))


def _has_matplotlib(python: Path) -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder:
            run_json([str(python), "-c", "import matplotlib; print('{}')"], Path(folder))
    except NotMeasured:
        return False
    return True
