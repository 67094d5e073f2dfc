"""What a statement is without its values: the same one is known again, and nobody's data are kept."""

import re
from hashlib import sha256
from typing import Final

# Nobody writes longer ones by hand; what makes them repeats itself.
MAX_READ: Final = 100_000
_TOKEN: Final = re.compile(
    r"""
    (?P<space> \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<value> \b[xX]'[^']*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) | %s | %\(\w+\)s | \?\d* | [:@$]\w+
        | \b0[xX][0-9a-fA-F]+\b | \b\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\b )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) | `(?:[^`]|``)*(?:`|\Z) | \[[^\]]*(?:\]|\Z) )
    """,
    re.VERBOSE | re.DOTALL,
)
_LIST: Final = re.compile(r"\(\s?\?(?:\s?,\s?\?)+\s?\)|(?<=\bIN )\(\s?\?\s?\)", re.IGNORECASE)
_ROWS: Final = re.compile(r"(\(\?, …\)|\(\?\))(?:\s?,\s?\1)+")
_SAVEPOINT: Final = re.compile(r'\b(SAVEPOINT) "?\w+"?', re.IGNORECASE)
_READING: Final = re.compile(r"[\s(]*(SELECT|VALUES|WITH)\b", re.IGNORECASE)
_EFFECTS: Final = re.compile(
    r"\b(INSERT|UPDATE|DELETE|REPLACE|PRAGMA|ATTACH|DETACH|writefile|edit|load_extension)\b", re.IGNORECASE
)


def normalise(sql: str) -> str:
    """One line, `?` for every value, `(?, …)` for every list of them; comments are gone."""
    text = re.sub(" {2,}", " ", _TOKEN.sub(_token, sql[:MAX_READ])).strip(" ;")
    text = _ROWS.sub(r"\1", _LIST.sub("(?, …)", text))
    return _SAVEPOINT.sub(r"\1 ?", text)


def fingerprint(normalised: str) -> str:
    return sha256(normalised.encode("utf-8", "replace")).hexdigest()[:16]


def is_explainable(sql: str, normalised: str) -> bool:
    """Does it only read? Errs towards no: where any word could mean an effect, it is not looked at."""
    return (
        len(sql) <= MAX_READ
        and _READING.match(normalised) is not None
        and _EFFECTS.search(normalised) is None
    )


def _token(match: re.Match[str]) -> str:
    if match["space"] is not None:
        return " "
    if match["value"] is not None:
        return "?"
    # SQLite takes an unknown name in quotes for a text.
    name = match["name"]
    return name if re.fullmatch(r"\W\w{1,128}\W", name) else f"{name[0]}?{name[0]}"
