"""SQL that differs from Django's SQLite backend: everything that calls a Python function there."""

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, NotSupportedError, OperationalError
from django.db.backends.sqlite3 import operations as sqlite3
from django.db.backends.utils import split_tzname_delta
from django.utils.functional import cached_property

from . import temporal
from .temporal import Compiled
from .timezones import offset_sql

Params = Sequence[Any]


class DatabaseOperations(sqlite3.DatabaseOperations):
    compiler_module = "afn_project.libsql.compiler"

    # Dates and times

    def date_extract_sql(self, lookup_type: str, sql: str, params: Params) -> Compiled:
        return self._datetime_part(temporal.EXTRACT, lookup_type, sql, params, None)

    def datetime_extract_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None
    ) -> Compiled:
        return self._datetime_part(temporal.EXTRACT, lookup_type, sql, params, tzname)

    def date_trunc_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None = None
    ) -> Compiled:
        return self._datetime_part(temporal.TRUNCATE_DATE, lookup_type, sql, params, tzname)

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Params, tzname: str | None) -> Compiled:
        return self._datetime_part(temporal.TRUNCATE_DATETIME, lookup_type, sql, params, tzname)

    def datetime_cast_date_sql(self, sql: str, params: Params, tzname: str | None) -> Compiled:
        return self._datetime_part(temporal.TRUNCATE_DATE, "day", sql, params, tzname)

    def datetime_cast_time_sql(self, sql: str, params: Params, tzname: str | None) -> Compiled:
        moved, _ = temporal.zoned(("v", ()), self._offsets(tzname))
        return temporal.named_v(f"time({moved})||{temporal.fraction_suffix('v')}", sql), params

    def time_extract_sql(self, lookup_type: str, sql: str, params: Params) -> Compiled:
        template = _pick(temporal.EXTRACT_TIME, lookup_type)
        return temporal.fill(template, v=temporal.fill("substr({v},1,8)", v=(sql, params)))

    def time_trunc_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None = None
    ) -> Compiled:
        template = _pick(temporal.TRUNCATE_TIME, lookup_type)
        # The value may be a datetime, which moves with the zone, or a time, which does not.
        moved, _ = temporal.zoned(("v", ()), self._offsets(tzname))
        clock = f"CASE WHEN substr(v,5,1)='-' THEN {moved} ELSE substr(v,1,8) END"
        return temporal.fill(template, v=(temporal.named_v(clock, sql), params))

    def subtract_temporals(self, internal_type: str, lhs: Compiled, rhs: Compiled) -> Compiled:
        to_number = temporal.time_microseconds if internal_type == "TimeField" else temporal.microseconds
        difference = f"({to_number('{l}')}-{to_number('{r}')})"
        return temporal.fill(difference, l=lhs, r=rhs)

    def combine_duration_expression(self, connector: str, sub_expressions: Sequence[str]) -> str:
        if connector not in ("+", "-", "*", "/"):
            raise DatabaseError(f"Invalid connector for timedelta: {connector}.")
        if len(sub_expressions) > 2:
            raise ValueError("Too many params for timedelta operations.")
        left, right = sub_expressions
        if connector == "*":
            return temporal.fill_text("({l}*{r})", l=left, r=right)
        if connector == "/":
            return temporal.fill_text("({l}*1.0/{r})", l=left, r=right)
        # Which side is the duration shows in the values alone: durations are integers, dates are text.
        shift = (
            f"CASE WHEN typeof({{r}})<>'text' AND typeof({{l}})<>'text' THEN {{l}}{connector}{{r}} "
            f"WHEN typeof({{r}})<>'text' THEN {temporal.shift_sql('{l}', '{r}', connector)} "
        )
        if connector == "+":
            shift += f"ELSE {temporal.shift_sql('{r}', '{l}', '+')} "
        return temporal.fill_text(f"({shift}END)", l=left, r=right)

    def _datetime_part(
        self, templates: Mapping[str, str], lookup_type: str, sql: str, params: Params, tzname: str | None
    ) -> Compiled:
        value = temporal.zoned((sql, params), self._offsets(tzname))
        return temporal.fill(_pick(templates, lookup_type), v=value)

    def _offsets(self, tzname: str | None) -> list[tuple[str, int]]:
        """The steps from a stored datetime to `tzname`: SQL of seconds over ``v``, and 1 or -1 for its sign.

        Datetimes are stored in the connection's zone; a name like ``UTC+05:30`` is a zone and a shift.
        """
        stored = self.connection.timezone_name
        if not (tzname and settings.USE_TZ) or tzname == stored:
            return []
        name, sign, delta = split_tzname_delta(tzname)
        steps: list[tuple[str, int]] = []
        if delta:
            hours, minutes = delta.split(":")
            steps.append((str(int(hours) * 3600 + int(minutes) * 60), 1 if sign == "+" else -1))
        try:
            if (name or stored) != stored:
                steps.append((offset_sql(stored, local=True), -1))
                steps.append((offset_sql(name, local=False), 1))
        except zoneinfo.ZoneInfoNotFoundError as error:
            raise NotSupportedError(f"No time zone found with key {name!r}.") from error
        return steps

    # Text and numbers

    def combine_expression(self, connector: str, sub_expressions: Sequence[str]) -> str:
        if connector == "#":
            return temporal.fill_text("(({l}|{r})-({l}&{r}))", l=sub_expressions[0], r=sub_expressions[1])
        return str(super().combine_expression(connector, list(sub_expressions)))

    # Statements

    def force_group_by(self) -> list[str]:
        return ["GROUP BY TRUE"]  # a libSQL server's parser refuses HAVING without GROUP BY

    @cached_property
    def _references_graph(self) -> Callable[[str], list[str]]:
        return lru_cache(maxsize=512)(self._referencing_tables)

    def _referencing_tables(self, table_name: str) -> list[str]:
        """`table_name` and all that refer to it, directly or not (Django's own query needs ``(?i)``)."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE tables(name) AS (
                    SELECT %s
                    UNION
                    SELECT master.name
                    FROM tables, sqlite_master AS master, pragma_foreign_key_list(master.name) AS reference
                    WHERE master.type = 'table' AND reference."table" = tables.name COLLATE NOCASE
                )
                SELECT name FROM tables
                """,
                [table_name],
            )
            return [name for (name,) in cursor.fetchall()]


def _pick(templates: Mapping[str, str], lookup_type: str) -> str:
    try:
        return templates[lookup_type.lower()]
    except KeyError:
        raise OperationalError(
            f"Unsupported lookup type: {lookup_type!r}. Expected one of {', '.join(templates)}."
        ) from None
