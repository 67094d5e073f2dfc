"""Text functions and text lookups."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.db.models import F, Q, Value, functions

from .compare import Comparison
from .models import Text
from .rows import WORDS

LENGTHS = (0, 1, 2, 5, 17, 60)


def test_padding_and_repeating(comparison: Comparison) -> None:
    length = functions.Abs("n")  # Django refuses to pad to less than nothing
    found: dict[str, Any] = {
        "LPad(s, n, part)": functions.LPad("s", length, "part"),
        "RPad(s, n, part)": functions.RPad("s", length, "part"),
        "Repeat(s, n)": functions.Repeat("s", F("n")),
        "Repeat(part, 3)": functions.Repeat("part", 3),
        "Repeat(concat)": functions.Repeat(functions.Concat("s", "part"), 2),
        "LPad of LPad": functions.LPad(functions.LPad("s", 9, Value("-")), 12, Value("日本")),
    }
    for length in LENGTHS:
        for fill in ("", " ", "xy", "日", "'"):
            found[f"LPad(s, {length}, {fill!r})"] = functions.LPad("s", length, Value(fill))
            found[f"RPad(s, {length}, {fill!r})"] = functions.RPad("s", length, Value(fill))
        found[f"Repeat(s, {length})"] = functions.Repeat("s", length)
    comparison.expressions(Text, found)
    comparison.report()


def test_parts_and_changes(comparison: Comparison) -> None:
    found: dict[str, Any] = {
        "Reverse": functions.Reverse("s"),
        "Reverse of Reverse": functions.Reverse(functions.Reverse("s")),
        "Replace(s, part)": functions.Replace("s", "part"),
        "Replace(s, part, 'é')": functions.Replace("s", "part", Value("é")),
        "StrIndex": functions.StrIndex("s", "part"),
        "StrIndex of a value": functions.StrIndex("s", Value("b")),
        "Upper": functions.Upper("s"),
        "Lower": functions.Lower("s"),
        "Trim": functions.Trim("s"),
        "LTrim": functions.LTrim("s"),
        "RTrim": functions.RTrim("s"),
        "Length": functions.Length("s"),
        "Concat": functions.Concat("s", Value(" "), "part"),
        "Ord": functions.Ord("s"),
        # An empty text has no first character; stock makes it NUL, which ends a text in libSQL's driver.
        "Chr": functions.Chr(functions.Coalesce(functions.Ord("s"), 65)),
        "Substr from n": functions.Substr("s", F("n") * F("n") + 1),
        "Substr of Reverse": functions.Substr(functions.Reverse("s"), 2, 3),
        "Coalesce": functions.Coalesce("part", "s"),
        "NullIf": functions.NullIf("s", "part"),
        "Greatest": functions.Greatest("s", "part"),
        "Cast n": functions.Cast("n", models.CharField()),
        "Cast s": functions.Cast("s", models.IntegerField()),
    }
    for length in (1, 2, 5, 60):
        found[f"Left {length}"] = functions.Left("s", length)
        found[f"Right {length}"] = functions.Right("s", length)
        found[f"Substr from {length}"] = functions.Substr("s", length)
        found[f"Substr from {length}, 2"] = functions.Substr("s", length, 2)
    comparison.expressions(Text, found)
    comparison.report()


@pytest.mark.parametrize("lookup", ["exact", "contains", "startswith", "endswith"])
def test_plain_lookups(comparison: Comparison, lookup: str) -> None:
    """With and without regard to case (ASCII's only, on both), with the characters LIKE gives a meaning."""
    for name in (lookup, f"i{lookup}"):
        for word in WORDS:
            comparison.expressions(Text, {f"{name} {word!r}": Q(**{f"s__{name}": word})})
        comparison.expressions(Text, {f"{name} part": Q(**{f"s__{name}": F("part")})})
    comparison.report()


# fmt: off
PATTERNS = (
    "abc", "^a", "c$", "^$", "^abc$", ".", "..", "^.b", "a.*c", "a+b?", "(abc|ABC)", "^(a|A)(b|B)",
    "[abc]+", "[^abc]", "^[^abc]*$", "[A-Z]{2}", "[0-9]+", r"\d", r"^\d+$", r"\D", r"\w+\s\w+", r"\W",
    r"\s", r"\S$", r"\.", r"\*", r"\(x\)", r"\[x\]", r"\\", r"\^", r"\$", r"\|", r"^\w+@\w+\.\w+$", "x{2}",
    "a{2,}", "a{1,3}$", "日本", "^日.語", "[あ-ん]", "é", "ä|ö", "[à-ÿ]", "naïve", "Straße", "(ab)+",
    "(a(b|c))+", "a*?b", "(?:ab)+", "a|^B|c$", "[-a]", "[a-]", "[]a]", r"[\d_]", r"[\w.]+", r"[^\w\s]",
    r"[\]]", "'", '"', "%", "_", "{", "a{,2}b", r"\t", r"\n", r"a\nb", r"\r\n", "line$", r"\Aabc", r"abc\Z",
    "(?P<name>a)b", "x*", "(a|b|)c", "^(?:a|b|$)", "", "a{0}b", "(a{2}){2}", "(?i:abc)D?", "(?s:a.b)",
    r"[\s\S]b", "\u0131|ſ", "k", "[^\\n]$", "a^b", "(^a)+b",
)
# fmt: on


@pytest.mark.parametrize("lookup", ["regex", "iregex"])
def test_patterns(comparison: Comparison, lookup: str) -> None:
    """Patterns of the dialect that libSQL's expressions can be written in."""
    for pattern in PATTERNS:
        comparison.expressions(Text, {f"{lookup} {pattern!r}": Q(**{f"s__{lookup}": pattern})})
    comparison.report()


def test_patterns_on_other_types_and_expressions(comparison: Comparison) -> None:
    """The left side may be a number or an expression; numbers match by their text."""
    comparison.expressions(
        Text,
        {
            "n": Q(n__regex="^-?1"),
            "n without case": Q(n__iregex="[45]$"),
            "Concat": Q(models.lookups.Regex(functions.Concat("s", Value("!"), "part"), "!a?$")),
            "not": ~Q(s__regex="[a-c]"),
            "Upper": Q(models.lookups.Regex(functions.Upper("s"), "^[A-C]+$")),
        },
    )
    comparison.report()
