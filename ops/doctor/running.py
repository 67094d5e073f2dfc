"""All examinations one after the other, or those of some areas."""

from collections.abc import Callable, Collection
from typing import Final

from . import areas
from .areas import connection
from .examining import Case, Examination
from .findings import Notes, Report

Told = Callable[[str], None]
_UNREADABLE: Final = "What they would tell is in the database, which cannot be read."


def examine(case: Case, only: Collection[str] = (), told: Told = lambda name: None) -> Report:
    """Examine; `told` hears of each examination before it begins. Never raises for what may be wrong."""
    report = Report()
    first = Notes(areas.FIRST.area)
    told(_name(areas.FIRST))
    first.findings += areas.FIRST.run(case)
    is_readable = connection.can_be_read(first)
    wanted = [one for one in areas.ALL if not only or one.area in only]
    # Whoever asks for another area is told as well why there is nothing to tell.
    if areas.FIRST in wanted or not is_readable:
        report.findings += first.findings
    left_out = []
    for one in wanted:
        if one is areas.FIRST:
            continue
        if one.needs_database and not is_readable:
            left_out.append(one)
            continue
        told(_name(one))
        report.findings += one.run(case)
    if left_out:
        notes = Notes(areas.FIRST.area)
        notes.warn(
            "not looked at",
            ", ".join(_name(one) for one in left_out),
            _UNREADABLE,
            "Mend the connection, then run this again.",
        )
        report.findings += notes.findings
    order = {area: number for number, area in enumerate(areas.AREAS)}
    report.findings.sort(key=lambda finding: order.get(finding.area, 0))
    return report


def _name(one: Examination) -> str:
    return one.area if one.area == one.name else f"{one.area}: {one.name}"
