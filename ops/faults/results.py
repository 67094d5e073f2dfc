"""What a scenario says in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """Of a run of one scenario. `rounds` and `seconds` are those asked for, or the scenario's own."""

    seed: int
    rounds: int
    seconds: float
    quiet: bool


def result(
    scenario: str, options: Options, target: str, measured: dict[str, Any], problems: Sequence[str]
) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "seed": options.seed,
        "rounds": options.rounds,
        "target": target,
        "measured": {name: _rounded(value) for name, value in measured.items()},
        "problems": list(problems),
        "ok": not problems,
    }


def skipped(scenario: str, options: Options, target: str, reason: str) -> dict[str, Any]:
    """Not measured is neither ok nor not."""
    return result(scenario, options, target, {}, []) | {"skipped": reason, "ok": None}


def longest(times: Iterable[float | None]) -> float | None:
    """The longest of several; None where one of them never came, or there are none."""
    found = list(times)
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the largest."""
    ordered = sorted(milliseconds)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in at.items()}


def too_long(what: str, seconds: float | None, limit: float) -> list[str]:
    """The problem, if there is one. None is what never came."""
    if seconds is None:
        return [f"{what}: never, expected within {limit:g} s"]
    return [f"{what}: {seconds:.1f} s, expected at most {limit:g}"] if seconds > limit else []


def as_lines(one: dict[str, Any]) -> list[str]:
    """For people: the verdict, then a line for each figure."""
    verdict = {True: "ok", False: "NOT OK", None: "skipped"}[one["ok"]]
    lines = [f"{one['scenario']:<14} {verdict:<8} {one['target']}"]
    if "skipped" in one:
        return [*lines, f"    {one['skipped']}"]
    lines += [f"    {name.replace('_', ' '):<34} {_shown(value)}" for name, value in one["measured"].items()]
    return [*lines, *(f"    ! {problem}" for problem in one["problems"])]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "never" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return value
