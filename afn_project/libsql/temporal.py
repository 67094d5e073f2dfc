"""Dates, times and durations in SQL that libSQL knows, in place of Django's Python functions.

Django stores ``YYYY-MM-DD``, ``HH:MM:SS[.ffffff]``, ``YYYY-MM-DD HH:MM:SS[.ffffff]`` and, for durations,
microseconds. The templates below say what they compute of a value ``{v}``; percent signs are doubled
for Django's cursors. SQLite's own date functions round fractions of a second up into the next one, so
they only ever see the first 19 characters.
"""

import re
from collections.abc import Sequence
from string import Formatter
from typing import Any

from django.db import NotSupportedError

Compiled = tuple[str, Sequence[Any]]
SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND
_COLUMN = re.compile(r'^(?:"[^"]+"\.)?"[^"]+"$')

_SECONDS = "substr({v},1,19)"
_FRACTION = "substr(substr({v},21)||'000000',1,6)"
_THURSDAY = "date({v},'-3 days','weekday 4')"  # of the ISO week that {v} is in: it decides the year

# For {v} of the form YYYY-MM-DD[ HH:MM:SS].
EXTRACT = {
    "year": "CAST(strftime('%%Y',{v}) AS INTEGER)",
    "iso_year": f"CAST(strftime('%%Y',{_THURSDAY}) AS INTEGER)",
    "quarter": "((CAST(strftime('%%m',{v}) AS INTEGER)+2)/3)",
    "month": "CAST(strftime('%%m',{v}) AS INTEGER)",
    "week": f"((CAST(strftime('%%j',{_THURSDAY}) AS INTEGER)-1)/7+1)",
    "day": "CAST(strftime('%%d',{v}) AS INTEGER)",
    "week_day": "(CAST(strftime('%%w',{v}) AS INTEGER)+1)",
    "iso_week_day": "((CAST(strftime('%%w',{v}) AS INTEGER)+6)%%7+1)",
    "hour": "CAST(strftime('%%H',{v}) AS INTEGER)",
    "minute": "CAST(strftime('%%M',{v}) AS INTEGER)",
    "second": "CAST(strftime('%%S',{v}) AS INTEGER)",
}
EXTRACT_TIME = {kind: EXTRACT[kind] for kind in ("hour", "minute", "second")}
TRUNCATE_DATE = {
    "year": "strftime('%%Y-01-01',{v})",
    "quarter": "date({v},'start of month',((1-CAST(strftime('%%m',{v}) AS INTEGER))%%3)||' months')",
    "month": "date({v},'start of month')",
    "week": "date({v},'-6 days','weekday 1')",
    "day": "date({v})",
}
TRUNCATE_TIME = {
    "hour": "strftime('%%H:00:00',{v})",
    "minute": "strftime('%%H:%%M:00',{v})",
    "second": "time({v})",
}
TRUNCATE_DATETIME = {kind: f"({sql}||' 00:00:00')" for kind, sql in TRUNCATE_DATE.items()} | {
    "hour": "strftime('%%Y-%%m-%%d %%H:00:00',{v})",
    "minute": "strftime('%%Y-%%m-%%d %%H:%%M:00',{v})",
    "second": "datetime({v})",
}


def fill(template: str, **values: Compiled) -> Compiled:
    """Put compiled expressions into a template whose ``{names}`` may occur more than once.

    An expression that is neither a column nor used just once is evaluated in a subquery and named there:
    its parameters are then bound once, in the order of `values`. Plain columns are written out, which keeps
    the SQL flat and allowed in indexes and constraints. A window function must not move into a subquery,
    where it would see a single row: it is written out each time, with its parameters.
    """
    used = [name for _, name, _, _ in Formatter().parse(template) if name]
    if used == list(values) or any(is_window(sql) for sql, _ in values.values()):
        written_out = {name: sql for name, (sql, _) in values.items()}
        return template.format(**written_out), [param for name in used for param in values[name][1]]
    inline = {name: sql for name, (sql, _) in values.items() if _COLUMN.match(sql)}
    named = {name: sql for name, (sql, _) in values.items() if name not in inline}
    params = [param for _, params in values.values() for param in params]
    # The underscore keeps the names apart from an unqualified column that stands beside them.
    expression = template.format(**inline, **{name: f"_{name}" for name in named})
    if not named:
        return expression, params
    columns = ", ".join(f"{sql} AS _{name}" for name, sql in named.items())
    return f"(SELECT {expression} FROM (SELECT {columns}))", params


def fill_text(template: str, **values: str) -> str:
    """As `fill`, where Django hands over SQL without its parameters, which it binds once and in order."""
    sql, _ = fill(template, **{name: (value, ()) for name, value in values.items()})
    if sql.count("%s") != sum(value.count("%s") for value in values.values()):
        raise _unsupported_window()
    return sql


def zoned(value: Compiled, offsets: list[tuple[str, int]]) -> Compiled:
    """The first 19 characters of `value`, moved by each of (SQL of seconds over ``v``, sign) in turn."""
    sql, params = fill(_SECONDS, v=value)
    for offset, sign in offsets:
        if offset == "0":
            continue
        seconds = offset if sign > 0 else f"-{offset}"
        sql = named_v(f"datetime(v,({seconds})||' seconds')", sql)
    return sql, params


def named_v(expression: str, sql: str) -> str:
    """`expression` over a column ``v`` that holds the value of `sql`."""
    if is_window(sql):
        raise _unsupported_window()
    return f"(SELECT {expression} FROM (SELECT {sql} AS v))"


def is_window(sql: str) -> bool:
    return " OVER (" in sql


def _unsupported_window() -> NotSupportedError:
    return NotSupportedError(
        "libSQL cannot compute this from a window function in the same query. Annotate the window first, and "
        "work on it in Python or in an outer query."
    )


def fraction_suffix(value: str) -> str:
    """``.ffffff`` of a datetime column, or nothing where it is zero, as Python's ``isoformat`` has it."""
    fraction = _FRACTION.format(v=value)
    return f"CASE {fraction} WHEN '000000' THEN '' ELSE '.'||{fraction} END"


def microseconds(value: str) -> str:
    """A date or datetime as microseconds since 1970."""
    seconds, fraction = _SECONDS.format(v=value), _FRACTION.format(v=value)
    return f"(unixepoch({seconds})*{SECOND}+CAST({fraction} AS INTEGER))"


def time_microseconds(value: str) -> str:
    """A time as microseconds since midnight."""
    fraction = f"substr(substr({value},10)||'000000',1,6)"
    seconds = f"unixepoch('1970-01-01 '||substr({value},1,8))"
    return f"({seconds}*{SECOND}+CAST({fraction} AS INTEGER))"


def shift_sql(value: str, duration: str, sign: str) -> str:
    """`value` (a column of dates or datetimes) plus or minus `duration` (a column of microseconds).

    As in Python, a date moves by the whole days of the duration (rounded down), a datetime by all of it.
    """
    moved = f"({microseconds(value)}{sign}{duration})"
    whole = f"(({moved}-{_modulo(moved, SECOND)})/{SECOND})"
    fraction = _modulo(moved, SECOND)
    days = f"(({duration}-{_modulo(duration, DAY)})/{DAY})"
    return (
        f"CASE WHEN substr({value},5,1)<>'-' THEN NULL "  # a time has no date to count from
        f"WHEN length({value})=10 THEN date({value},({sign}{days})||' days') "
        f"WHEN {fraction}=0 THEN datetime({whole},'unixepoch') "
        f"ELSE datetime({whole},'unixepoch')||printf('.%%06d',{fraction}) END"
    )


def _modulo(value: str, divisor: int) -> str:
    """The remainder that is never negative; SQLite's has the sign of the dividend."""
    return f"(({value}%%{divisor}+{divisor})%%{divisor})"
