"""What libSQL cannot do is refused with a clear error: never answered, and never answered wrongly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, NotSupportedError, OperationalError, connections
from django.db.models import F, Value, functions
from django.test import override_settings

from .differential.engines import Pair, open_pair
from .differential.models import Moment, Number, Text

HASHES = (
    functions.MD5,
    functions.SHA1,
    functions.SHA224,
    functions.SHA256,
    functions.SHA384,
    functions.SHA512,
)
UNSUPPORTED_PATTERNS = {
    "lookahead": "a(?=b)",
    "negative lookahead": "a(?!b)",
    "lookbehind": "(?<=a)b",
    "negative lookbehind": "(?<!a)b",
    "back reference": r"(.)\1",
    "named back reference": "(?P<first>.)(?P=first)",
    "condition": "(a)?(?(1)b|c)",
    "atomic group": "(?>a+)b",
    "possessive repeat": "a++b",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Iterator[Pair]:
    with (
        django_db_blocker.unblock(),
        override_settings(USE_TZ=True, TIME_ZONE="UTC"),
        open_pair(tmp_path_factory.mktemp("declared")) as pair,
    ):
        yield pair


@pytest.fixture(autouse=True)
def database(django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock(), override_settings(USE_TZ=True, TIME_ZONE="UTC"):
        yield


@pytest.mark.parametrize("function", HASHES, ids=lambda function: function.__name__)
def test_hashes_are_refused_by_name(pair: Pair, function: Any) -> None:
    """There is no such SQL function, and the driver has no way to add one."""
    texts = Text.objects.using(pair.libsql)
    for use in (
        lambda: list(texts.annotate(value=function("s"))),
        lambda: texts.order_by(function("s")).first(),
        lambda: texts.filter(s=function(Value("a"))).exists(),
        lambda: texts.update(s=function("s")),
    ):
        with pytest.raises(NotSupportedError, match=function.__name__):
            use()


@pytest.mark.parametrize("lookup", ["regex", "iregex"])
@pytest.mark.parametrize("feature", UNSUPPORTED_PATTERNS)
def test_unsupported_patterns_are_refused(pair: Pair, feature: str, lookup: str) -> None:
    pattern = UNSUPPORTED_PATTERNS[feature]
    with pytest.raises(NotSupportedError) as caught:
        list(Text.objects.using(pair.libsql).filter(**{f"s__{lookup}": pattern}))
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize("pattern", [r"\babc\b", r"a\B", "(?m)^b", "(?m)a$", "a{1000,}", "(a{500}){2}"])
def test_other_patterns_match_as_on_stock_or_are_refused(pair: Pair, pattern: str) -> None:
    stock = list(Text.objects.using(pair.stock).filter(s__regex=pattern).values_list("pk", flat=True))
    try:
        got = list(Text.objects.using(pair.libsql).filter(s__regex=pattern).values_list("pk", flat=True))
    except NotSupportedError:
        return
    assert got == stock


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", "(?P<n>a)(?P<n>b)", "*a"])
def test_malformed_patterns_are_refused(pair: Pair, pattern: str) -> None:
    """As on stock, where Python's error comes out of the database as an OperationalError."""
    for alias in (pair.stock, pair.libsql):
        with pytest.raises(DatabaseError):
            list(Text.objects.using(alias).filter(s__regex=pattern))


def test_pattern_from_a_column_is_refused_or_right(pair: Pair) -> None:
    """Such a pattern cannot be translated, so it is Python's dialect only where both agree."""
    Text.objects.using(pair.stock).filter(part__in=["(", "[", "*", "+", "?"]).delete()
    patterns = [r"\w\d", "(?i)ABC", "日.", r"[\w.]+@", "a{2}", r"\Aabc", "(?:ab)+c"]
    for alias in (pair.stock, pair.libsql):
        texts = Text.objects.using(alias)
        texts.all().delete()
        rows = [
            Text(s=s, part=p) for p in patterns for s in ("abc", "ABC", "x1", "日本", "a.b@c", "aa", "ababc")
        ]
        texts.bulk_create(rows)
    stock = list(Text.objects.using(pair.stock).filter(s__regex=F("part")).values_list("s", "part"))
    try:
        got = list(Text.objects.using(pair.libsql).filter(s__regex=F("part")).values_list("s", "part"))
    except NotSupportedError:
        return
    assert got == stock


@pytest.mark.parametrize(
    "expression",
    [functions.Ln(Value(-1.0)), functions.Exp(Value(1000.0)), functions.Power(Value(0.0), Value(-1.0))],
    ids=["Ln(-1)", "Exp(1000)", "Power(0, -1)"],
)
def test_results_that_are_no_numbers(pair: Pair, expression: Any) -> None:
    """Stock gives NULL or infinity or raises, as it was built. libSQL may raise, but not invent."""
    try:
        value = Number.objects.using(pair.libsql).values_list(expression, flat=True).first()
    except OperationalError as error:
        value = None if "Numerical" in str(error) else error
    assert value in (None, float("inf"))


def test_unknown_zone_is_refused(pair: Pair) -> None:
    """A fixed offset with a name of its own is nothing that SQL could look up."""
    zone = dt.timezone(dt.timedelta(hours=2), "Atlantis")
    with pytest.raises(DatabaseError, match="Atlantis"):
        list(Moment.objects.using(pair.libsql).annotate(value=functions.TruncDay("dt", tzinfo=zone)))


def test_raw_cursors_give_dates_as_text(pair: Pair) -> None:
    """The driver doesn't tell the declared types of columns; models and expressions get their types."""
    moment = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
    row = Moment.objects.using(pair.libsql).create(dt=moment, d=moment.date(), t=moment.time())
    with connections[pair.libsql].cursor() as cursor:
        cursor.execute("SELECT dt, d, t FROM differential_moment WHERE id = %s", [row.pk])
        assert cursor.fetchone() == ("2024-02-29 12:30:00", "2024-02-29", "12:30:00")
    again = Moment.objects.using(pair.libsql).get(pk=row.pk)
    assert (again.dt, again.d, again.t) == (moment, moment.date(), moment.time())


def test_text_with_nul_is_never_cut_off(pair: Pair) -> None:
    """libSQL's driver ends a text at its first NUL: better an error than half of a text."""
    texts = Text.objects.using(pair.libsql)
    try:
        row = texts.create(s="before\x00after")
    except (DatabaseError, ValueError):
        return
    assert texts.get(pk=row.pk).s == "before\x00after"
