"""Speed and size of the whole, measured against targets; every time is compared within one run.

`run` measures on a database of its own in a temporary folder, in processes of their own, so that neither
the user's data nor the caches of another measurement take part.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections

from prompts.models import User
from prompts.search import search_prompts

from .remote_benchmarks import measure_remote
from .sqld_process import find_sqld, running_sqld

PROMPTS_FILE = "prompts_en.csv"
VECTORS_FILE = "minilm_30k_384_f16.npy"
_OWN = "afn-benchmark-"
_ROUNDS, _READS, _QUERIES = 7, 1_000, 300


class Target(NamedTuple):
    unit: str
    limit: float
    is_upper: bool = True


TARGETS = {
    "orm_pk_get_ratio": Target("× stock sqlite3", 1.3),
    "import_1526_prompts": Target("s", 15.0),
    "import_peak_rss": Target("MB", 600.0),
    "hybrid_search_p50": Target("ms", 8.0),
    "quantised_recall_at_10": Target("share of exact", 0.985, is_upper=False),
    "quantised_speedup": Target("× exact", 15.0, is_upper=False),
}
# On a libSQL server on the same machine.
REMOTE_TARGETS = {
    "remote_pk_get_ratio": Target("× local file", 5.0),
    "binding_remote_ratio": Target("× the engine", 1.0, is_upper=False),
    "remote_bulk_create_trips": Target("round trips", 12.0),
    "remote_hybrid_search_extra": Target("ms over local", 3.0),
}


def run(data: Path, progress: Callable[[str], None] = lambda text: None) -> dict[str, dict[str, Any]]:
    """Measure everything; `data` is a folder with the two files named above."""
    values: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix=_OWN) as folder:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TURSO_")}
        environment = {**own, "AFN_DATABASE_FILE": str(Path(folder, "bench.db"))}
        environment.setdefault("SECRET_KEY", settings.SECRET_KEY)
        seconds, rss = _prepare(data, environment, progress)
        values |= {"import_1526_prompts": seconds, "import_peak_rss": rss}
        for part in ("orm", "search", "vectors"):
            progress(part.capitalize())
            values |= _part(part, data, environment)
        targets = dict(TARGETS)
        if program := find_sqld():
            values |= _run_remote(program, Path(folder), data, environment, progress)
            values["remote_hybrid_search_extra"] -= values["hybrid_search_p50"]
            targets |= REMOTE_TARGETS
        else:
            progress("The libSQL server is missing (`make sqld` fetches it): its figures are left out")
    return {name: _judge(values[name], target) for name, target in targets.items()}


def _run_remote(
    program: str, folder: Path, data: Path, environment: dict[str, str], progress: Callable[[str], None]
) -> dict[str, float]:
    """The same prompts on a server, searched and read there."""
    with running_sqld(program, folder / "sqld") as url:
        environment = {**environment, "TURSO_DATABASE_URL": url}
        _prepare(data, environment, progress)
        progress("Remote")
        values = _part("remote", data, environment)
        return values | {
            "remote_hybrid_search_extra": _part("search", data, environment)["hybrid_search_p50"]
        }


def _prepare(data: Path, environment: dict[str, str], progress: Callable[[str], None]) -> tuple[float, float]:
    """Tables, an account, and the prompts; seconds and megabytes of their import."""
    progress("Setting up")
    _manage(["migrate", "--verbosity", "0"], environment)
    account = ["--noinput", "--username", "bench", "--email", "bench@localhost"]
    _manage(["createsuperuser", *account, "--verbosity", "0"], environment)
    progress("Importing")
    return _timed(["import_prompts", str(data / PROMPTS_FILE), "--json"], environment)


def _part(name: str, data: Path, environment: dict[str, str]) -> dict[str, float]:
    command = ["benchmark", "--data", str(data), "--part", name]
    values: dict[str, float] = json.loads(_manage(command, environment))
    return values


def is_own_database() -> bool:
    """Whether the default database is the temporary one that `run` made."""
    return Path(settings.AFN_DATABASE_FILE).parent.name.startswith(_OWN)


def measure_orm(data: Path) -> dict[str, float]:
    """Median ratio of `Model.objects.get(pk=…)` through the engine to the same through stock sqlite3."""
    with tempfile.TemporaryDirectory(prefix="afn-stock-") as folder:
        connections.settings["stock"] = {
            **connections.settings["default"],
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(folder, "stock.db")),
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
        }
        with connections["stock"].schema_editor() as editor:
            editor.create_model(User)
        for alias in ("default", "stock"):
            people = [User(pk=f"{n:032x}", username=f"u{n}", email=f"u{n}@localhost") for n in range(_READS)]
            User.objects.using(alias).bulk_create(people)
        ratios = [_read_all("default") / _read_all("stock") for _ in range(_ROUNDS)]
        connections["stock"].close()
        User.objects.filter(username__startswith="u", email__endswith="@localhost").delete()
    return {"orm_pk_get_ratio": statistics.median(ratios)}


def measure_search(data: Path) -> dict[str, float]:
    """Median milliseconds of a hybrid search inside the process, over the titles of the imported file."""
    csv.field_size_limit(10_000_000)
    with (data / PROMPTS_FILE).open(encoding="utf-8", newline="") as file:
        titles = [row["act"] for row in csv.DictReader(file)][:_QUERIES]
    search_prompts(titles[0])  # loads the model
    return {"hybrid_search_p50": statistics.median(search_prompts(title).took_ms for title in titles)}


def measure_vectors(data: Path) -> dict[str, float]:
    """Recall@10 and speed of the strategy `quantised` against `exact`, on real embeddings."""
    import numpy as np

    from vectors.benchmarks import measure_quantised

    measured = measure_quantised(np.load(data / VECTORS_FILE).astype(np.float32))
    return {"quantised_recall_at_10": measured.quantised.recall, "quantised_speedup": measured.speedup}


PARTS = {
    "orm": measure_orm,
    "search": measure_search,
    "vectors": measure_vectors,
    "remote": measure_remote,
}


def _read_all(alias: str) -> float:
    people, keys = User.objects.using(alias), [f"{n:032x}" for n in range(_READS)]
    started = time.perf_counter()
    for key in keys:
        people.get(pk=key)
    return time.perf_counter() - started


def _manage(arguments: list[str], environment: dict[str, str]) -> str:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def _timed(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and megabytes at the peak of a command that ends well."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1_000_000 if sys.platform == "darwin" else 1_000  # bytes there, kilobytes elsewhere
    return time.perf_counter() - started, usage.ru_maxrss / unit


def _judge(value: float, target: Target) -> dict[str, Any]:
    passed = value <= target.limit if target.is_upper else value >= target.limit
    return {"value": round(value, 4), "unit": target.unit, "target": target.limit, "pass": passed}
