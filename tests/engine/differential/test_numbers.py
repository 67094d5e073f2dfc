"""Mathematical functions, operators and statistical aggregates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models
from django.db.models import F, Q, StdDev, Value, Variance, functions

from .compare import Comparison
from .models import Number

ONE_ARGUMENT = (
    functions.Abs,
    functions.ACos,
    functions.ASin,
    functions.ATan,
    functions.Ceil,
    functions.Cos,
    functions.Cot,
    functions.Degrees,
    functions.Exp,
    functions.Floor,
    functions.Ln,
    functions.Radians,
    functions.Round,
    functions.Sign,
    functions.Sin,
    functions.Sqrt,
    functions.Tan,
)
NAMES = ("i", "small", "x", "dec")


@pytest.mark.parametrize("function", ONE_ARGUMENT, ids=lambda function: function.__name__)
def test_functions_of_one_argument(comparison: Comparison, function: Callable[..., Any]) -> None:
    """Outside of a function's domain stock raises or gives NULL, as it was built; libSQL may raise."""
    found = {f"{function.__name__}({name})": function(name) for name in NAMES}
    found["of an expression"] = function(F("x") / 1000.0)
    comparison.outside_of_domain_may_raise = True
    comparison.expressions(Number, found)
    comparison.report()


@pytest.mark.parametrize(
    "function",
    [functions.ATan2, functions.Power],
    ids=lambda function: function.__name__,
)
def test_functions_of_two_arguments(comparison: Comparison, function: Callable[..., Any]) -> None:
    name = function.__name__
    pairs = [
        ("x", "y"),
        ("small", "x"),
        ("x", "small"),
        ("i", "j"),
        ("small", "small"),
        ("dec", "small"),
        ("i", "x"),
    ]
    found: dict[str, Any] = {f"{name}({a}, {b})": function(a, b) for a, b in pairs}
    found |= {f"{name}(2, {b})": function(Value(2), b) for b in ("small", "x", "i")}
    found |= {f"{name}({a}, {b!r})": function(a, Value(b)) for a in NAMES for b in (2, -3, 0.5, 10)}
    found[f"{name} nested"] = function(functions.Abs("x"), functions.Abs(F("small")) + 1)
    comparison.outside_of_domain_may_raise = True
    comparison.expressions(Number, found)
    comparison.report()


def test_modulo(comparison: Comparison) -> None:
    """The sign is the dividend's. Whole numbers of up to 53 bits are exact.

    For others the remainder may be rounded off at either end of its range, so it is put on a circle.
    """
    whole = Q(i__range=(-(2**53), 2**53), j__range=(-(2**53), 2**53)) & ~Q(j=0)
    real = Q(x__range=(-1000, 1000)) & (Q(y__gte=1) | Q(y__lte=-1))
    found: dict[str, Any] = {
        f"Mod({a}, {b!r})": functions.Mod(a, b) for a in ("small", "dec") for b in (1, 2, -3, 10, F("small"))
    }
    found["Mod(i, j)"] = models.Case(models.When(whole, then=functions.Mod("i", "j")))
    found["Mod(x, y)"] = models.Case(
        models.When(real, then=functions.Cos(functions.Mod("x", "y") * (2 * math.pi) / F("y")))
    )
    found["Mod(x, 0)"] = functions.Mod("x", Value(0))
    comparison.expressions(Number, found)
    comparison.report()


def test_log_of_a_base(comparison: Comparison) -> None:
    """A base of 1 or less is left out: builds of stock SQLite don't agree about it among themselves."""
    base = functions.Abs("small") + 1.25
    comparison.outside_of_domain_may_raise = True
    found = {f"Log(base, {name})": functions.Log(base, name) for name in NAMES}
    found |= {f"Log({base!r}, x)": functions.Log(Value(base), "x") for base in (1.5, 2, 10, 1e9)}
    comparison.expressions(Number, found)
    comparison.report()


def test_round_to_digits(comparison: Comparison) -> None:
    """Ties at a digit are left out: SQLite 3.43 began to round them by what the float really is."""
    found = {
        f"Round({name}, {d})": functions.Round(name, precision=d) for name in ("x", "y") for d in range(6)
    }
    found |= {f"Round({name}, 5)": functions.Round(name, precision=5) for name in NAMES}
    found["Pi"] = functions.Pi() * F("small")
    comparison.expressions(Number, found)
    comparison.report()


def test_operators(comparison: Comparison) -> None:
    """Bit operators over 64 bits, modulo and power; exclusive or is a Python function on stock."""
    i, j, small = F("i"), F("j"), F("small")
    comparison.expressions(
        Number,
        {
            "bitxor": i.bitxor(j),
            "bitxor small": small.bitxor(i),
            "bitxor 5": small.bitxor(5),
            "bitxor -1": i.bitxor(-1),
            "bitxor 2**40": i.bitxor(2**40 + 1),
            "bitxor twice": i.bitxor(j).bitxor(F("j")),
            "bitand": i.bitand(j),
            "bitor": i.bitor(j),
            "shift left": small.bitleftshift(3),
            "shift right": i.bitrightshift(2),
            "%%": small % 4,
            "power": small**2,
            "power of float": F("x") ** 2,
            "division": small / 4,
            "float division": F("x") / F("small"),
            "sum": F("x") + F("small") * 2 - F("y"),
            "big literal": F("i") + Value(0) + Value(2**53 + 1) - Value(2**53 + 1),
            "column": F("i"),
        },
    )
    comparison.report()


def test_numbers_in_conditions(comparison: Comparison) -> None:
    """Decimals are compared with decimals, also after a function."""
    functions_of_decimals = ("abs", "ceil", "floor", "round", "sign", "sqrt", "cot", "sin", "exp")
    for name in functions_of_decimals:
        lookup = getattr(functions, name.title() if name != "ceil" else "Ceil")
        condition = models.lookups.GreaterThan(lookup(functions.Abs("dec") / 1000), Value(0.5))
        comparison.expressions(Number, {f"{name} > 0.5": Q(condition)})
    for value in (2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)):
        comparison.expressions(
            Number,
            {f"i = {value}": Q(i=value), f"i < {value}": Q(i__lt=value), f"in {value}": Q(i__in=[value, 1])},
        )
    comparison.report()


STATISTICS = {
    f"{aggregate.__name__} {'sample' if sample else 'population'} {label}": aggregate(
        name, sample=sample, **options
    )
    for aggregate in (StdDev, Variance)
    for sample in (False, True)
    for name, label, options in (
        ("small", "small", {}),
        ("x", "x where |x| < 2000", {"filter": Q(x__range=(-2000, 2000))}),
        ("dec", "dec", {}),
        ("small", "small > 0", {"filter": Q(small__gt=0)}),
        ("small", "small, no row", {"filter": Q(pk__lt=0)}),
        ("y", "y or 0", {"filter": Q(y__range=(-2000, 2000)), "default": 0.0}),
    )
}


@pytest.mark.parametrize("label", STATISTICS)
def test_statistics(comparison: Comparison, label: str) -> None:
    """By groups of 0 and 1 values (where stock raises, nothing is compared), of equal ones, and of many."""
    aggregate = STATISTICS[label]
    # The value stands beside the group; a range of primary keys that splits a group is fine for both.
    comparison.queryset(
        label, Number, lambda rows: rows.order_by("group").values_list("group").annotate(value=aggregate)
    )
    comparison.queryset(
        f"{label}, of an expression",
        Number,
        lambda rows: rows.order_by("small").values_list("small").annotate(value=aggregate),
    )
    assert not comparison.differences, "\n".join(comparison.differences)
