"""The scenarios by name."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from .results import Options
from .scenarios import (
    beat_killed,
    database_gone,
    provider,
    redis_killed,
    server_killed,
    web_killed,
    worker_killed,
)

SCENARIOS: Final[dict[str, ModuleType]] = {
    one.NAME: one
    for one in (web_killed, server_killed, worker_killed, beat_killed, redis_killed, database_gone, provider)
}
DEFAULT_SECONDS: Final = 10.0


def run(name: str, *, seed: int, rounds: int | None, seconds: float, quiet: bool) -> dict[str, Any]:
    """Raises NotMeasured where the scenario could not be carried out."""
    scenario = SCENARIOS[name]
    one: dict[str, Any] = scenario.run(Options(seed, rounds or scenario.ROUNDS, seconds, quiet))
    return one
