"""Which kinds of jobs there are: a function each, with what its attempts are like.

    @job("rebuild_index", title="Build an index", max_attempts=3, lease=timedelta(minutes=5))
    def rebuild_index(run: Run, collection: str) -> dict | None: …

Such a function is idempotent: an attempt may end at any point, and the next one does it all. It tells its
progress more often than its lease is long, or is taken to hang; its arguments and result are JSON.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from prompts.errors import NotThere, RegistryProblem

from .models import MAX_KEY, MAX_KIND

Function = Callable[..., "dict[str, Any] | None"]
# Who tells no progress for so long is taken to hang.
LEASE: Final = timedelta(minutes=15)
# A row is held for so long by a process that is alive, which holds it again and again (`ops.jobs.heartbeat`).
HELD: Final = timedelta(minutes=2)
_FIRST_DELAY: Final = timedelta(seconds=10)
_LONGEST_DELAY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    One that is open is not started again: `alone` names the arguments by which two are the same, none for a
    kind of which there is one at a time; where it is None, each call starts one. After an error of `retry_on`
    another attempt follows, later each time.
    """

    name: str
    title: str
    function: Function
    max_attempts: int
    lease: timedelta
    retry_on: tuple[type[Exception], ...]
    alone: tuple[str, ...] | None
    arguments: type[BaseModel]

    @property
    def held(self) -> timedelta:
        """So long after its worker was killed another one goes on."""
        return min(self.lease, HELD)

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as they are stored; raises ``RegistryProblem`` by name."""
        try:
            return self.arguments.model_validate(dict(arguments)).model_dump(mode="json", exclude_unset=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "arguments"
            known = ", ".join(self.arguments.model_fields) or "none"
            if first["type"] == "extra_forbidden":
                raise RegistryProblem(
                    name[:64], f"an argument of {self.name} ({known})", "another"
                ) from error
            got = "nothing" if first["type"] == "missing" else repr(first["input"])[:64]
            message = first["msg"][:1].lower() + first["msg"][1:]
            raise RegistryProblem(name[:64], f"what {self.name} takes ({message})", got) from error

    def key(self, arguments: Mapping[str, Any]) -> str:
        if self.alone is None:
            return ""
        return " ".join([self.name, *(str(arguments.get(name, "")) for name in self.alone)])[:MAX_KEY]

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts: 10 s, 40 s, 160 s …, an hour at most."""
        return min(_FIRST_DELAY * 4 ** min(max(0, attempts - 1), 10), _LONGEST_DELAY)


_kinds: dict[str, Kind] = {}


def job(
    name: str,
    *,
    title: str,
    max_attempts: int = 1,
    lease: timedelta = LEASE,
    retry_on: tuple[type[Exception], ...] = (),
    alone: tuple[str, ...] | None = None,
) -> Callable[[Function], Function]:
    """Register a function as a kind of job. Its parameters after `run` are the arguments, by their types."""

    def register(function: Function) -> Function:
        if len(name) > MAX_KIND or max_attempts < 1:
            raise ValueError(f"{name}: expected a short name and one attempt at least")
        if name in _kinds and _kinds[name].function.__qualname__ != function.__qualname__:
            raise ValueError(f"{name}: expected a new name, got that of {_kinds[name].function.__module__}")
        arguments = _model(name, function)
        _kinds[name] = Kind(name, title, function, max_attempts, lease, retry_on, alone, arguments)
        return function

    return register


def get(name: str) -> Kind:
    """Raises ``NotThere``."""
    if name not in _kinds:
        raise NotThere("kind", f"one of {', '.join(sorted(_kinds))}", repr(name[:MAX_KIND]))
    return _kinds[name]


def kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda one: one.name)


def title_of(name: str) -> str:
    return _kinds[name].title if name in _kinds else name


def describe(name: str, arguments: Mapping[str, Any]) -> str:
    """What a job does, and with what."""
    alone = _kinds[name].alone if name in _kinds else None
    return ": ".join([title_of(name), *(str(arguments[one])[:80] for one in alone or () if one in arguments)])


def _model(name: str, function: Function) -> type[BaseModel]:
    hints = get_type_hints(function, localns={"Run": object}, include_extras=True)
    _, *parameters = inspect.signature(function).parameters.values()
    fields: dict[str, Any] = {
        one.name: (hints.get(one.name, Any), ... if one.default is one.empty else one.default)
        for one in parameters
    }
    model: type[BaseModel] = create_model(
        f"Arguments of {name}", __config__=ConfigDict(extra="forbid", strict=True), **fields
    )
    return model
