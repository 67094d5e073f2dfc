"""The libraries that AFN is compared with: which there are, and a process for each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vectors.benchmarking import environment
from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.figures import Judge, not_measured
from vectors.benchmarking.limits import check_diskann
from vectors.benchmarking.processes import folder_in, run_module
from vectors.models import StrategyName
from vectors.progress import track


@dataclass(frozen=True, slots=True)
class Peer:
    """`name` is what `peer.py` goes by; engine and strategy are what the figures are called by.

    `package` is what has to be installed for it; one that has none runs in the project's own environment.
    `is_tuned` makes more effort than the peer before it, and is measured where that has too little recall.
    """

    name: str
    engine: str
    strategy: str
    package: str = ""
    is_diskann: bool = False
    is_tuned: bool = False


PEERS: Final = (
    Peer("libsql", "libsql", "exact"),
    Peer("libsql-diskann", "libsql", "diskann", is_diskann=True),
    Peer("libsql-tuned", "libsql", "diskann, tuned", is_diskann=True, is_tuned=True),
    Peer("sqlite-vec", "sqlite-vec", "exact", "sqlite-vec"),
    Peer("hnswlib", "hnswlib", "hnsw", "hnswlib"),
    Peer("usearch", "usearch", "hnsw", "usearch"),
    Peer("chromadb", "chromadb", "hnsw", "chromadb"),
    Peer("lancedb", "lancedb", "IVF_HNSW_SQ", "lancedb"),
)
# What is searched over HTTP.
SERVERS: Final = (Peer("chroma-run", "chromadb", "chroma run", "chromadb"),)
# A peer is as good as AFN if its recall is no farther below.
_AS_GOOD: Final = 0.001

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Installed:
    """The Python that has the peers' libraries, and by package why one could not be installed."""

    python: Path
    failed: Mapping[str, str]


def find_installed(python: Path | None, *, quiet: bool = False) -> Installed:
    """The environment of the user's own that `python` belongs to, else AFN's, which is made where need be."""
    if python is not None:
        return Installed(environment.named(python), {})
    return Installed(*environment.install(quiet=quiet))


def measure_peers(
    peers: Sequence[Peer],
    installed: Installed,
    judge: Judge,
    data: Path,
    folder: Path,
    own: Sequence[Run],
    *,
    quiet: bool = False,
) -> tuple[list[Run], dict[str, str]]:
    """The runs of these peers, and the versions of their libraries. `own` are the runs of AFN."""
    runs: list[Run] = []
    versions: dict[str, str] = {}
    for peer in track(peers, "Peers", len(peers), quiet=quiet):
        if peer.is_tuned and not has_too_little(runs[-1], own):
            continue
        try:
            if peer.is_diskann:
                check_diskann(len(judge.rows))
            with folder_in(folder) as home:
                found = measure(peer, installed, data, home, judge.k)
        except NotMeasured as error:
            runs.append(not_measured(peer.engine, peer.strategy, str(error)))
        else:
            versions |= found["versions"]
            runs += judge.runs(peer.engine, found)
    return runs, versions


def measure(peer: Peer, installed: Installed, data: Path, folder: Path, k: int) -> dict[str, Any]:
    """What `peer.py` says of one; raises NotMeasured."""
    python = installed.python if peer.package else sys.executable
    try:
        return run_module(python, "peer", [peer.name, str(data), str(k)], folder)
    except NotMeasured as error:
        reason = installed.failed.get(peer.package)
        raise NotMeasured(f"{error} ({reason})" if reason else str(error)) from error


def has_too_little(run: Run, own: Sequence[Run]) -> bool:
    """Whether its recall is below that of `auto`, where both were measured."""
    for other in own:
        if other["strategy"] == StrategyName.AUTO and None not in (run["recall_at_k"], other["recall_at_k"]):
            return bool(run["recall_at_k"] < other["recall_at_k"] - _AS_GOOD)
    return False
