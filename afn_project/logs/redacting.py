"""Masking of secrets in lines of the log: what is known to be one, and what looks like one.

It is the second fence. AFN puts no secret into a line by itself, but a library may quote an address with its
password, and whoever calls may send anything.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

MASK: Final = "***"
# What is shorter would be found inside of other words.
_LEAST: Final = 6
_NAMES: Final = (
    r"(?:auth[_-]?token|access[_-]?token|refresh[_-]?token|token|jwt|password|passwd|secret|secret[_-]?key|api[_-]?key"
    r"|sessionid|csrftoken)"
)
# With an end to every repetition: a line may be long, and anybody's.
_LOOKS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\b(bearer|basic)(\s{1,4})[a-z0-9._~+/=-]{6,8192}", rf"\1\2{MASK}"),
        (r"\bsk-[a-z0-9_-]{16,256}", MASK),  # API keys of AFN and of services
        (r"\bwhsec_[a-z0-9_-]{16,256}", MASK),
        (r"\bage-secret-key-[a-z0-9-]{8,512}", MASK),
        (r"\beyj[a-z0-9_-]{6,4096}\.[a-z0-9_-]{6,8192}(?:\.[a-z0-9_-]{0,4096})?", MASK),
        (r"(://[^\s:/@]{0,256}):[^\s/]{1,512}@", rf"\1:{MASK}@"),
        (rf"\b({_NAMES}=)[^\s&;,'\"<>]{{1,4096}}", rf"\1{MASK}"),
        (rf"(['\"]{_NAMES}['\"]\s{{0,4}}[:=]\s{{0,4}}['\"])[^'\"]{{1,4096}}", rf"\1{MASK}"),
    )
)
_known: re.Pattern[str] | None = None


def know(values: Iterable[str]) -> None:
    """Mask these values as well, from now on; those of less than 6 characters are left as they are."""
    global _known
    found = {form for value in values for form in (value, quote(value, safe="")) if len(value) >= _LEAST}
    longest_first = sorted(found, key=len, reverse=True)
    _known = re.compile("|".join(map(re.escape, longest_first))) if found else None


def secrets_of(address: str) -> list[str]:
    """The password and the token of an address."""
    try:
        parts = urlsplit(address)
        password = parts.password
    except ValueError:
        return []
    tokens = [value for name, value in parse_qsl(parts.query) if "token" in name.lower()]
    return [*([password] if password else []), *tokens]


def mask(text: str) -> str:
    if _known is not None:
        text = _known.sub(MASK, text)
    for pattern, replacement in _LOOKS:
        text = pattern.sub(replacement, text)
    return text
