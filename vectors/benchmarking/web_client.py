"""Searches over HTTP, timed alike of every server. Needs the standard library alone."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.processes import ONE_THREAD

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_SHOWN: Final = 200


class WebClient:
    """One connection to a server on this machine, which is kept open."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=120)
        self._headers = dict(headers or {})

    def send(self, path: str, body: bytes, content_type: str, method: str = "POST") -> Any:
        """What the server answers, out of JSON; raises NotMeasured where that is an error."""
        self._connection.request(method, path, body, {**self._headers, "Content-Type": content_type})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            said = answer[:_SHOWN].decode(errors="replace")
            raise NotMeasured(f"{method} {path}: HTTP status {response.status}: {said}")
        return json.loads(answer)

    def close(self) -> None:
        self._connection.close()

    def send_json(self, path: str, members: Mapping[str, Any], method: str = "POST") -> Any:
        return self.send(path, json.dumps(members).encode(), "application/json", method)


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server, with as many threads as it likes, though the benchmark's own processes have one."""
    own = os.environ if environment is None else environment
    variables = {name: value for name, value in own.items() if name not in ONE_THREAD}
    return subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once the server listens; raises NotMeasured where it ends, or does not within a minute."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise NotMeasured("its server did not start")


def stop(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """End a server politely, and by force where it takes longer than that."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
