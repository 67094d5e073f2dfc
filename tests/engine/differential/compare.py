"""Compares one expression on both databases and says where they differ."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet

from .engines import Pair
from .rows import EDGES

SHOWN = 2  # differences that an expression is given room for
REPORTED = 30  # differences that a test is given room for
Rows = list[tuple[Any, ...]]
Query = Callable[[QuerySet], QuerySet]


class StockFailed(Exception):
    """Stock sqlite3 itself raises, so there is nothing to compare with."""


@dataclass
class Comparison:
    """Collects the differences of many expressions, so that a test reports them all at once."""

    pair: Pair
    context: str = ""
    compared: int = 0
    differences: list[str] = field(default_factory=list)
    outside_of_domain_may_raise: bool = False

    def expressions(self, model: type[Model], expressions: Mapping[str, Any]) -> None:
        """Compare each expression as an annotation of every row of `model`."""
        for label, expression in expressions.items():
            query = annotated(expression)
            self.compare(label, model, query, lambda pk, query=query: self.used_values(model, query, pk))

    def queryset(self, label: str, model: type[Model], query: Query) -> None:
        """Compare a query that gives (key, value) for any range of rows; keys are distinct."""
        self.compare(label, model, query, lambda key: f"key {key!r}")

    def compare(self, label: str, model: type[Model], query: Query, describe: Callable[[Any], str]) -> None:
        """Note down where the answers to `query` differ."""
        last = model._default_manager.using(self.pair.stock).count()
        # The calendar's ends, where stock often raises, come first: on their own there is less to halve.
        found = self.difference(model, query, 1, EDGES) + self.difference(model, query, EDGES + 1, last)
        for key, form, expected, got in found[:SHOWN]:
            self.differences.append(
                f"{label} {self.context}({form})\n"
                f"    input    {describe(key)}\n    expected {expected!r}\n    got      {got!r}"
            )
        if len(found) > SHOWN:
            self.differences.append(f"{label} {self.context}: at least {len(found) - SHOWN} more")

    def difference(self, model: type[Model], query: Query, first: int, last: int) -> list[tuple[Any, ...]]:
        """Return (key, form, expected, got) of the rows first … last that differ.

        Where either database raises, the range is halved to find the rows: those on which stock raises too
        (the end of the calendar, the logarithm of nothing) are left out.
        """
        rows = query(model._default_manager.filter(pk__range=(first, last)))
        failure = ""
        try:
            return self.unequal(rows)
        except StockFailed as error:
            failure = str(error)
            if first == last:
                return []
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is a difference
            failure = f"{type(error).__name__}: {error}"
            if first == last:
                return [] if self.excused(rows, failure) else [(first, "raised", "a value", failure)]
        middle = (first + last) // 2
        found = self.difference(model, query, first, middle)
        return found if len(found) > SHOWN else found + self.difference(model, query, middle + 1, last)

    def unequal(self, rows: QuerySet) -> list[tuple[Any, ...]]:
        """Return the differing rows, as the database gives them or, these equal, as Django converts them."""
        found: Rows = []
        for form, fetch in (("in the database", fetch_raw), ("in Python", fetch_converted)):
            try:
                expected = fetch(rows, self.pair.stock)
            except Exception as error:
                raise StockFailed(f"{type(error).__name__}: {error}") from error
            self.compared += len(expected)
            found = unequal_rows(expected, fetch(rows, self.pair.libsql), form)
            if found:
                break
        return found

    def excused(self, rows: QuerySet, failure: str) -> bool:
        """Tell whether libSQL raises for a number for which stock has no number: NULL or infinity."""
        if not self.outside_of_domain_may_raise or "Numerical" not in failure:
            return False
        return all(value is None or math.isinf(value) for _, value in fetch_raw(rows, self.pair.stock))

    def used_values(self, model: type[Model], query: Query, pk: int) -> str:
        """Return those of the row's values that the query looks at, as text."""
        rows = model._default_manager.using(self.pair.stock)
        sql, _ = query(rows.all()).query.get_compiler(self.pair.stock).as_sql()
        names = [f.name for f in model._meta.concrete_fields if f.primary_key or f'"{f.column}"' in sql]
        return str(rows.filter(pk=pk).values(*names).get())

    def report(self) -> None:
        """Fail with all differences; also if hardly anything could be compared."""
        shown = "\n".join(self.differences[:REPORTED])
        assert not self.differences, f"{len(self.differences)} differences\n{shown}"
        assert self.compared > 20, f"only {self.compared} values were compared"


def unequal_rows(expected: Rows, got: Rows, form: str) -> Rows:
    """Return (key, form, expected, got) for each key that has another value on one side, or none."""
    values, reference = dict(got), dict(expected)
    found = [
        (key, form, value, values.get(key, "no row"))
        for key, value in expected
        if key not in values or not same(value, values[key], form)
    ]
    found += [(key, form, "no row", value) for key, value in got if key not in reference]
    if not found and [key for key, _ in expected] != [key for key, _ in got]:
        found.append(("order", form, [key for key, _ in expected], [key for key, _ in got]))
    return found


def annotated(expression: Any) -> Query:
    """Return the query that gives `expression` for each row."""
    return lambda rows: rows.annotate(value=expression).order_by("pk").values_list("pk", "value")


def fetch_raw(rows: QuerySet, alias: str) -> Rows:
    """Return what the database itself answers, before Django's converters."""
    sql, params = rows.using(alias).query.get_compiler(alias).as_sql()
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return [tuple(row) for row in cursor.fetchall()]


def fetch_converted(rows: QuerySet, alias: str) -> Rows:
    """Return what a caller of the ORM gets."""
    return list(rows.using(alias))


def same(expected: Any, got: Any, form: str) -> bool:
    """Tell whether two values are equal: floats within 1e-9; in Python their types are equal, too.

    Stock hands out columns (not expressions) as dates even to a cursor; libSQL hands out their text.
    """
    if form == "in the database":
        expected = str(expected) if isinstance(expected, dt.date | dt.time) else expected
        numbers = isinstance(expected, int | float) and isinstance(got, int | float)
        return close(expected, got) if numbers and {type(expected), type(got)} != {int} else expected == got
    if type(expected) is not type(got):
        return False
    if isinstance(expected, dt.timedelta):
        return abs(expected - got) <= abs(expected) * 1e-9
    return close(expected, got) if isinstance(expected, float | Decimal) else expected == got


def close(expected: Any, got: Any) -> bool:
    """Tell whether two numbers are equal but for rounding."""
    return expected == got or math.isclose(expected, got, rel_tol=1e-9, abs_tol=1e-11)
