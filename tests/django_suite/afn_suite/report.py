"""Compares the runs of both engines and prints what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .process import ModuleRun, test_path

COLUMNS = ("tests", "failure", "error", "skipped", "expected failure")
HEADS = ("tests", "fail", "error", "skip", "xfail")


@dataclass
class Verdict:
    """What is wrong with the engine's runs: an empty verdict is a pass."""

    problems: list[tuple[str, str, str]] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    also_on_stock: list[str] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.problems or self.crashes or self.hidden)


def judge(runs: Iterable[ModuleRun], stock: Mapping[str, ModuleRun], declared: Iterable[str]) -> Verdict:
    """Judge each test of the engine's `runs` against `stock` (module → run, empty without stock).

    A test that stock runs and the engine does not must be declared by name: a feature flag set to False
    would otherwise hide a difference without anybody having said so. A test that fails on stock too
    fails because of the machine (a missing program, root's rights) and is listed, not counted.
    """
    verdict, names = Verdict(), set(declared)
    for run in runs:
        reference = stock.get(run.module)
        if run.crash:
            verdict.crashes.append(f"{run.engine} {run.module}: {run.crash}")
        if reference and reference.crash:
            verdict.crashes.append(f"{reference.engine} {run.module}: {reference.crash}")
        failed_on_stock = reference.tests_with("failure", "error") if reference else set()
        for problem in run.traces:
            if problem[1] in failed_on_stock:
                verdict.also_on_stock.append(problem[1])
            else:
                verdict.problems.append(problem)
        if reference:
            compare_coverage(run, reference, names, verdict)
    return verdict


def compare_coverage(run: ModuleRun, stock: ModuleRun, declared: set[str], verdict: Verdict) -> None:
    """Find the tests that ran on one engine only."""
    if run.crash or stock.crash:
        return
    missing = set(stock.outcomes) - set(run.outcomes) - stock.skipped
    for test in sorted((run.skipped - stock.skipped) | missing):
        if test_path(test) not in declared:
            verdict.hidden.append(test)
    verdict.gained += sorted((stock.skipped - run.skipped) & set(run.outcomes))


def print_table(runs: Iterable[ModuleRun], stock: Mapping[str, ModuleRun]) -> None:
    """Print one line for each module and the totals, stock beside the engine."""
    runs = sorted(runs, key=lambda run: run.module)
    engine = runs[0].engine if runs else "engine"
    block = "".join(f"{head:>7}" for head in HEADS) + "  seconds"
    titles = (["stock sqlite3"] if stock else []) + [engine]
    print("\n" + " " * 22 + " │ ".join(f"{title:^{len(block)}}" for title in titles))
    print(f"{'module':<22}" + " │ ".join([block] * len(titles)))
    for run in runs:
        beside = ([stock[run.module]] if stock else []) + [run]
        print(f"{run.module:<22}" + " │ ".join(cells(r.counts, r.seconds, r.crash) for r in beside))
    columns = ([[stock[r.module] for r in runs]] if stock else []) + [runs]
    print(f"{'total':<22}" + " │ ".join(total(column) for column in columns))


def total(runs: list[ModuleRun]) -> str:
    """Return the cells of the total line."""
    counts: Counter[str] = sum((run.counts for run in runs), Counter())
    return cells(counts, sum(run.seconds for run in runs), "")


def cells(counts: Counter[str], seconds: float, crash: str) -> str:
    """Return one engine's cells of a line; a crash is marked, its counts are what it had got to."""
    numbers = "".join(f"{counts[column]:>7}" for column in COLUMNS)
    return f"{numbers}{'  CRASHED' if crash else f'{seconds:>9.1f}'}"


def print_verdict(verdict: Verdict, lines: int) -> None:
    """Print every reason for a failed run; of each traceback the first and last `lines` lines."""
    for kind, test, trace in verdict.problems:
        print(f"\n{kind.upper()}: {test}\n{shorten(trace, lines)}")
    print_list("Ran on stock, did not run on the engine, and is not declared:", verdict.hidden)
    print_list("Fails on stock too, so not because of the engine:", verdict.also_on_stock)
    print_list("Runs on the engine, is skipped on stock:", verdict.gained)
    print_list("CRASHED:", verdict.crashes)


def print_list(title: str, items: list[str]) -> None:
    """Print a titled list, nothing if it is empty."""
    if items:
        print(f"\n{title}", *sorted(set(items)), sep="\n  ")


def shorten(trace: str, lines: int) -> str:
    """Return the head of a traceback and its end, where the error's text stands."""
    text = trace.strip().splitlines()
    if len(text) > 2 * lines:
        text = [*text[:lines], "…", *text[-lines:]]
    return "\n".join(f"  {line[:300]}" for line in text)
