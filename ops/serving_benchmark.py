"""Serving prompts over HTTP, as applications ask for them: AFN with Redis, and beside it an MLflow server.

Requests come from `wrk` on the same machine, which takes its share of the processors from both alike.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.machine import describe
from vectors.benchmarking.web_client import HOST, WebClient, free_port, start, stop, wait_for
from vectors.progress import track

from .site_process import manage, running_site, variables

WORKERS: Final = 2
_THREADS: Final = 2
_CONNECTIONS: Final = 16
_API: Final = "/api/v1/prompts"
_FOLDERS: Final = 50
# About 2,000 characters, as the prompts of a team are.
_TEXT: Final = (
    "You are a helpful assistant for {{role}}. " + "Explain the topic step by step, with examples. " * 40
)
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk counted; latencies in milliseconds, `errors` answers other than 2xx and lost connections."""

    name: str
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def run(*, prompts: int, seconds: int, mlflow: Path | None, quiet: bool) -> dict[str, Any]:
    """{"machine", "prompts", "runs", "cost", "times_mlflow"}; NotMeasured where a program is missing."""
    for program in ("wrk", "redis-server"):
        if shutil.which(program) is None:
            raise NotMeasured(f"{program} is missing: install it, such as by `apt install wrk redis-server`")
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-serving-") as name, ExitStack() as stack:
        folder = Path(name)
        redis = stack.enter_context(_redis(folder))
        site = running_site(folder, workers=WORKERS, threads=_THREADS, REDIS_URL=f"redis://{HOST}:{redis}/0")
        port, key = stack.enter_context(site)
        _fill(port, key, prompts, quiet=quiet)
        header = f"Authorization: Bearer {key}"
        address = f"http://{HOST}:{port}"
        found = [
            _load(
                "cached, by label", f"{address}{_path(7)}?label=production", seconds, folder, header=header
            ),
            _load(
                "cached, all by turns", address, seconds, folder, _each(prompts), header=header, warm_up=20
            ),
            _load("not cached, by label", address, seconds, folder, _each(prompts, new=True), header=header),
            _load("render", address, seconds, folder, _render(prompts), header=header),
            _load("health, ready", f"{address}/health/ready", seconds, folder, connections=1),
        ]
    cost = _measure_cost()
    if mlflow:
        found.append(_measure_mlflow(mlflow, prompts, seconds, quiet=quiet))
    ratio = found[0].requests_per_second / found[-1].requests_per_second if mlflow else None
    return {
        "machine": describe({}),
        "prompts": prompts,
        "seconds": seconds,
        "runs": [asdict(load) for load in found],
        "cost": cost,
        "times_mlflow": ratio,
    }


def _measure_cost() -> Any:
    """See `ops.request_cost`, in a process with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-cost-") as name:
        own = variables(Path(name))
        manage(own, "migrate", "--verbosity", "0")
        code = "from ops.request_cost import main; main()"
        return json.loads(manage(own, "shell", "--no-imports", "-v", "0", "-c", code))


def _fill(port: int, key: str, prompts: int, *, quiet: bool) -> None:
    client = WebClient(port, {"Authorization": f"Bearer {key}"})
    for number in track(range(prompts), "AFN: writing prompts", prompts, quiet=quiet):
        name = _path(number).removeprefix(f"{_API}/")
        text = f"{_TEXT} {number}"
        client.send_json(_API, {"name": name, "title": name, "content": text, "labels": ["production"]})
    client.close()


def _path(number: int) -> str:
    return f"{_API}/folder-{number % _FOLDERS}/prompt-{number}"


def _each(prompts: int, *, new: bool = False) -> str:
    """Every prompt by turns; `new` by addresses that were not asked for before: true in another spelling."""
    suffix = f'.. "&resolve=" .. spellings[(start + math.floor(n / {prompts})) % #spellings + 1]'
    spellings = ", ".join(
        f'"{"".join(letters)}"'
        for word in ("true", "yes", "on")
        for letters in product(*((one, one.upper()) for one in word))
    )
    return f"""
local n, start = 0, os.time()
local spellings = {{{spellings}}}
request = function()
  n = n + 1
  local at = (n * 7919) % {prompts}
  return wrk.format("GET", "{_API}/folder-" .. (at % {_FOLDERS}) .. "/prompt-" .. at ..
    "?label=production" {suffix if new else ""})
end
"""


def _render(prompts: int) -> str:
    body = json.dumps({"label": "production", "variables": {"role": "pilots"}})
    return f"""
wrk.method, wrk.body = "POST", '{body}'
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  local at = (n * 7919) % {prompts}
  return wrk.format(nil, "{_API}/folder-" .. (at % {_FOLDERS}) .. "/prompt-" .. at .. "/render")
end
"""


def _load(
    name: str,
    url: str,
    seconds: int,
    folder: Path,
    script: str = "",
    *,
    header: str = "",
    warm_up: int = 2,
    connections: int = _CONNECTIONS,
) -> Load:
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--latency"]
    if script:
        file = folder / "requests.lua"
        file.write_text(script)
        command += ["--script", str(file)]
    if header:
        command += ["--header", header]
    for duration in (warm_up, seconds):
        done = subprocess.run(  # noqa: S603
            [*command, "--duration", f"{duration}s", url], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise NotMeasured(f"wrk: {done.stderr.strip()[:200]}")
    return _read(name, done.stdout)


def _read(name: str, output: str) -> Load:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if rate is None:
        raise NotMeasured(f"wrk said nothing of {name}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    lost = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, lost.groups())) if lost else 0
    return Load(name, float(rate[1]), _latency(output, "50%"), _latency(output, "99%"), errors)


def _latency(output: str, share: str) -> float:
    found = re.search(rf"\s{share}\s+([\d.]+)(us|ms|s)\b", output)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    port = free_port()
    options = ["--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)]
    server = start(["redis-server", *options])
    try:
        wait_for(server, port)
        yield port
    finally:
        stop(server)


def _measure_mlflow(python: Path, prompts: int, seconds: int, *, quiet: bool) -> Load:
    """`registered-models/alias`, by which MLflow loads a prompt, of a server with as many workers."""
    with tempfile.TemporaryDirectory(prefix="afn-benchmark-mlflow-") as name:
        folder, port = Path(name), free_port()
        options = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", str(WORKERS)]
        server = start([str(python), "-m", "mlflow", "server", "--host", HOST, "--port", str(port), *options])
        try:
            wait_for(server, port)
            client = WebClient(port)
            models = "/api/2.0/mlflow/registered-models"
            # As its own client does. As many as AFN has would take it an hour; it looks up by an index.
            for number in track(range(min(prompts, 100)), "MLflow: writing prompts", quiet=quiet):
                is_prompt = {"key": "mlflow.prompt.is_prompt", "value": "true"}
                text = {"key": "mlflow.prompt.text", "value": _TEXT}
                client.send_json(f"{models}/create", {"name": f"prompt-{number}", "tags": [is_prompt]})
                version = {"name": f"prompt-{number}", "source": "dummy-source", "tags": [is_prompt, text]}
                client.send_json("/api/2.0/mlflow/model-versions/create", version)
                alias = {"name": f"prompt-{number}", "alias": "production", "version": "1"}
                client.send_json(f"{models}/alias", alias)
            client.close()
            url = f"http://{HOST}:{port}{models}/alias?name=prompt-7&alias=production"
            return _load("MLflow, alias", url, seconds, folder)
        finally:
            stop(server)
