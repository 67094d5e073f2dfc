"""Are the pages of the file whole, and do all references lead to a row?"""

from collections import Counter
from typing import Final

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from ..examining import Case
from ..findings import Notes

_SHOWN: Final = 5


def look_at_references(notes: Notes, case: Case) -> None:
    rows = _fetch("PRAGMA foreign_key_check")
    if not rows:
        notes.ok("references", "all lead to a row")
        return
    counts = Counter((table, parent) for table, _, parent, _ in rows)
    for (table, parent), count in counts.most_common(_SHOWN):
        some = ", ".join(str(row[1]) for row in rows if (row[0], row[2]) == (table, parent))[:60]
        notes.problem(
            "references",
            f"{table}: {count:,} rows refer to a missing row of {parent} (row numbers {some})",
            "Somebody deleted rows past AFN, with references switched off: pages that follow them fail, "
            "and so do migrations of these tables.",
            "`manage.py restore_database FILE` where they were lost; or look at the rows and delete them: "
            f"their row numbers in {table} are {some}.",
        )


def look_at_pages(notes: Notes, case: Case) -> None:
    check = "integrity_check" if case.deep else "quick_check"
    try:
        found = [text for (text,) in _fetch(f"PRAGMA {check}(100)") if text != "ok"]
    except DatabaseError as error:
        if case.file is None:
            notes.ok("pages", "a server does not say; it looks after them itself")
            return
        found = [str(error)]
    if found:
        notes.problem(
            "pages",
            f"damaged: {'; '.join(' '.join(one.split()) for one in found[:_SHOWN])[:300]}",
            "The disk, or a program that wrote into the file, has spoilt it: what is read may be wrong, "
            "and more is lost with each write.",
            "Stop everything that writes (`manage.py environments freeze NAME REASON`), keep a copy of "
            "the file, then `manage.py list_backups` and `manage.py restore_database FILE`; look at the "
            "disk.",
        )
    else:
        notes.ok("pages", f"{check}: ok" + ("" if case.deep else "; `--deep` also reads the indexes"))


def _fetch(sql: str) -> list[tuple[str, ...]]:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
