"""Why an attempt failed, as it may be kept and shown: the error's class and first line, without secrets."""

import re
from typing import Final

from django.conf import settings

from .models import MAX_CAUSE

HIDDEN: Final = "****"
_SETTINGS: Final = re.compile(r"SECRET|PASSWORD|TOKEN|API_KEY|ADMIN_KEY")
_WORDS: Final = r"[\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization)[\w-]*"
_PATTERNS: Final = (
    (re.compile(r"(\w+://)[^\s/@]+@"), rf"\1{HIDDEN}@"),  # user and password in an address
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(rf"(?i)\b({_WORDS})(\W{{0,2}}\s*[=:]\s*[\"']?)[^\s&,;\"']+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\b(?:sk|pk|whsec|ghp|xox[a-z])[-_][\w-]{8,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # tokens of JWT
    (re.compile(r"\b[A-Za-z0-9_-]{40,}={0,2}"), HIDDEN),  # whatever else looks like a key
)


def cause_of(error: BaseException) -> str:
    lines = str(error).splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    name = type(error).__name__
    return (f"{name}: {redacted(first)}" if first else name)[:MAX_CAUSE]


def redacted(text: str) -> str:
    for secret in _known():
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _known() -> list[str]:
    """The secrets that AFN itself is told."""
    found = (getattr(settings, name) for name in dir(settings) if name.isupper() and _SETTINGS.search(name))
    return [one for one in found if isinstance(one, str) and len(one) >= 8]
