"""Jinja2 templates, which are hostile input: read and rendered in other processes, and only there.

    names = jinja.analyse(["Dear {{ name }}"])                     # ["name"]
    texts = jinja.render(["Dear {{ name }}"], {"name": "Aoi"})     # ["Dear Aoi"]

This module never imports Jinja2. It keeps a few workers (`jinja_worker`) that are started when they are
needed, gives each request `DEADLINE` seconds, and kills a worker that takes longer. Each server process has
workers of its own: after a fork the child starts others.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .errors import (
    RenderingFailed,
    RenderingTooSlow,
    RenderingUnavailable,
    TemplateProblem,
    TemplateSyntaxProblem,
)
from .names import check_text

WORKER = Path(__file__).with_name("jinja_worker.py")
DEADLINE = 0.25  # seconds from sending a request to a worker that is ready to its answer
WAIT = 2.0  # seconds for a worker that is not busy
START = 10.0  # seconds for a new worker to be ready
MAX_WORKERS: Final = 4  # so that a slow template does not make all others wait
MAX_REQUESTS = 10_000  # of one worker
MAX_TEMPLATE: Final = 200_000  # characters of all templates of a request
MAX_OUTPUT: Final = 1_000_000  # characters of all texts of an answer
MAX_LEVELS: Final = 16  # of lists and objects within each other
MAX_VALUES: Final = 4_000_000  # bytes of all values as JSON
_MAX_ANSWER: Final = 8_000_000  # bytes: the longest text has some four for each of its characters
_MAX_MESSAGE: Final = 300


def analyse(templates: Sequence[str], fields: Sequence[str] | None = None) -> list[str]:
    """Names of the variables that the templates of one prompt use, by their first appearance, each once.

    `fields` are names of the templates for error messages. Raises `TemplateSyntaxProblem` for the first
    template that cannot be read, or another `TemplateProblem`.
    """
    fields = _fields(templates, fields)
    _check_templates(templates, fields)
    answer = _ask({"operation": "analyse", "templates": list(templates)}, fields)
    return _texts_of(answer, "names", fields)


def render(
    templates: Sequence[str],
    variables: Mapping[str, Any],
    *,
    allow_partial: bool = False,
    fields: Sequence[str] | None = None,
) -> list[str]:
    """The texts of the templates, filled in with values, which are JSON and never templates themselves.

    With `allow_partial` a name without a value stays as ``{{ name }}``; else it is an error. `fields` are
    names of the templates for error messages. Raises `TemplateSyntaxProblem`, `RenderingFailed`,
    `RenderingTooSlow`, `RenderingUnavailable` where it is not the template's fault, or `TemplateProblem` for
    what is too long, too deep or no text.
    """
    fields = _fields(templates, fields)
    _check_templates(templates, fields)
    _check_levels(variables)
    request = {"operation": "render", "templates": list(templates), "allow_partial": allow_partial}
    answer = _ask(request | {"variables": dict(variables)}, fields)
    texts = _texts_of(answer, "texts", fields)
    if len(texts) != len(templates):
        raise _broken(fields)
    # An escape such as "\ud800" in a template makes what no database and no HTTP can carry.
    return [check_text(text, field, MAX_OUTPUT) for text, field in zip(texts, fields, strict=True)]


def close() -> None:
    """End the workers; the next request starts new ones."""
    _pool.close()


class _NotStarted(Exception):
    """There is no worker; the text says what there is instead."""


class _Worker:
    """A process, ready for requests. One thread at a time."""

    def __init__(self) -> None:
        self.served = 0
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - a script of ours
                    [sys.executable, "-I", str(WORKER)],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,  # Ctrl-C in a terminal is for the server, which ends this one
                )
        except BaseException:
            self._socket.close()
            raise
        try:
            self._receive(time.monotonic() + START)
        except BaseException:
            self.close()
            raise

    def ask(self, request: bytes) -> Any:
        """Its answer, which may be any JSON. Where this raises, the worker is of no use any more:

        ConnectionError if it was gone before it read the request, TimeoutError at the deadline, EOFError
        if it ended instead of answering, ValueError or RecursionError for an answer that is none.
        """
        ends = time.monotonic() + DEADLINE
        self.served += 1
        self._socket.settimeout(DEADLINE)
        self._socket.sendall(len(request).to_bytes(4, "big") + request)
        return json.loads(self._receive(ends))

    def _receive(self, ends: float) -> bytes:
        data = bytearray()
        end = 4
        while len(data) < end:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(65_536)
            if not part:
                raise EOFError
            data += part
            if len(data) >= 4:
                end = 4 + int.from_bytes(data[:4], "big")
            if end > _MAX_ANSWER:
                raise ValueError("not a frame")
        return bytes(data[4:])  # with what came besides, which is no JSON then

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def leave_to_parent(self) -> None:
        """After a fork, in the child. The parent's worker ends with the last copy of the parent's socket."""
        self._socket.close()
        self._process.returncode = 0  # nothing to wait for: it is no child of this process


class _Pool:
    """Workers of one process, for all its threads."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MAX_WORKERS)
        self._idle: list[_Worker] = []  # the last one back is the next one out, so few are started
        self._all: set[_Worker] = set()

    def ask(self, request: bytes) -> Any:
        """The answer of a worker. Raises what `_Worker.ask` does, and `_NotStarted`."""
        if not self._places.acquire(timeout=WAIT):
            raise _NotStarted(f"none that was free within {WAIT:g} seconds")
        try:
            try:
                return self._ask(self._take(), request)
            except ConnectionError:
                # Somebody ended it while it had nothing to do. Where it had read the request, its end is
                # an EOFError, and the request is not tried again: it may be why.
                return self._ask(self._start(), request)
        finally:
            self._places.release()

    def close(self) -> None:
        for worker in list(self._all):
            self._drop(worker)
        self._idle.clear()

    def leave_to_parent(self) -> None:
        for worker in self._all:
            worker.leave_to_parent()

    def _ask(self, worker: _Worker, request: bytes) -> Any:
        is_kept = False
        try:
            answer = worker.ask(request)
            is_worn = not isinstance(answer, dict) or answer.get("worn") is not False
            is_kept = not is_worn and worker.served < MAX_REQUESTS
            return answer
        finally:
            # Also after Ctrl-C and the like: the answer that is still to come would be the next request's.
            if is_kept:
                self._idle.append(worker)
            else:
                self._drop(worker)

    def _take(self) -> _Worker:
        try:
            return self._idle.pop()
        except IndexError:
            return self._start()

    def _start(self) -> _Worker:
        try:
            worker = _Worker()
        except (OSError, EOFError, ValueError) as error:
            raise _NotStarted("none that could be started") from error
        self._all.add(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.close()


_pool = _Pool()
_owner = os.getpid()


def _renew() -> None:
    """In a forked child: the workers are its parent's, and locks may be held by threads that are not here."""
    global _pool, _owner
    _pool.leave_to_parent()
    _pool, _owner = _Pool(), os.getpid()


def _close_own() -> None:
    if _owner == os.getpid():
        close()


os.register_at_fork(after_in_child=_renew)
atexit.register(_close_own)


def _ask(request: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """A worker's answer, an object. Raises the `TemplateProblem` that it tells, or that it is."""
    if _owner != os.getpid():
        _renew()  # forked by something that does not call Python's hooks
    field = _field(fields)
    try:
        answer = _pool.ask(_encode(request))
    except _NotStarted as error:
        raise RenderingUnavailable(field, "a process that renders templates", str(error)) from error
    except TimeoutError:
        limit = f"{DEADLINE * 1_000:.0f} ms"
        raise RenderingTooSlow(field, f"a template that is ready within {limit}", "one that is not") from None
    except (EOFError, OSError, ValueError, RecursionError) as error:
        raise _broken(fields) from error
    if not isinstance(answer, dict):
        raise _broken(fields)
    if "problem" in answer:
        raise _told(answer["problem"], fields)
    return answer


def _encode(request: dict[str, Any]) -> bytes:
    try:
        body = _json(request)
    except (TypeError, ValueError, RecursionError):
        raise TemplateProblem("variables", "JSON values with finite numbers", "something else") from None
    if len(body) > MAX_VALUES and (size := len(_json(request.get("variables")))) > MAX_VALUES:
        raise TemplateProblem("variables", f"values of at most {MAX_VALUES:,} bytes", f"{size:,}")
    return body


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def _told(problem: Any, fields: Sequence[str]) -> TemplateProblem:
    match problem:
        case {"kind": kind, "template": int(at), "line": int(line), "message": str(message)} if (
            0 <= at < len(fields)
        ):
            got = f"an error on line {line}" if line > 0 else "an error"
            got = f"{got}: {message[:_MAX_MESSAGE]}"
            if kind == "syntax":
                return TemplateSyntaxProblem(fields[at], "a Jinja2 template", got)
            return RenderingFailed(fields[at], "a template that can be rendered", got)
    return _broken(fields)


def _texts_of(answer: dict[str, Any], name: str, fields: Sequence[str]) -> list[str]:
    texts = answer.get(name)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _broken(fields)
    return texts


def _broken(fields: Sequence[str]) -> RenderingFailed:
    """The worker ended, or said something else than what it should."""
    return RenderingFailed(
        _field(fields), "a template that can be rendered", "one that broke the process it was rendered in"
    )


def _fields(templates: Sequence[str], fields: Sequence[str] | None) -> Sequence[str]:
    if fields is not None and len(fields) != len(templates):
        raise ValueError(f"Expected a field for each of {len(templates)} templates, got {len(fields)}.")
    return fields or ["content"] * len(templates)


def _field(fields: Sequence[str]) -> str:
    """For what is the fault of none in particular."""
    return fields[0] if len(fields) == 1 else "content"


def _check_templates(templates: Sequence[str], fields: Sequence[str]) -> None:
    for template, field in zip(templates, fields, strict=True):
        check_text(template, field, MAX_TEMPLATE)
    if (total := sum(map(len, templates))) > MAX_TEMPLATE:
        raise TemplateProblem(
            _field(fields), f"at most {MAX_TEMPLATE:,} characters in all templates", f"{total:,}"
        )


def _check_levels(variables: Mapping[str, Any]) -> None:
    """Level by level instead of value by value: deep values are what this may not be stopped by."""
    level: list[Any] = list(variables.values())
    for _ in range(MAX_LEVELS):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list | tuple)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise TemplateProblem("variables", f"values of at most {MAX_LEVELS} levels", "a deeper one")
