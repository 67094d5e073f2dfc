"""Checks on text and JSON that several modules share."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from vectors.errors import InvalidItem, VectorError, shown
from vectors.limits import MAX_METADATA_BYTES, MAX_METADATA_DEPTH, MAX_METADATA_NAME

# libSQL's binding cuts text at NUL, and a lone surrogate has no UTF-8 form.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Can libSQL hold this text as it is?"""
    return _UNSTORABLE.search(text) is None


def check_text(
    value: object, field: str, *, minimum: int, maximum: int, error: type[VectorError] = InvalidItem
) -> str:
    """`value` if it is text of `minimum`…`maximum` characters that libSQL can hold; else raise `error`.

    With a minimum of 1 or more, text of white space only is refused as well.
    """
    wanted = f"text of {minimum} to {maximum:,} characters"
    if not isinstance(value, str):
        raise error(field, wanted, f"{type(value).__name__} {shown(value)}")
    if not minimum <= len(value) <= maximum:
        raise error(field, wanted, f"{len(value):,} characters")
    if minimum and not value.strip():
        raise error(field, f"{wanted} that is not blank", shown(value))
    if bad := _UNSTORABLE.search(value):
        what = "NUL" if bad[0] == "\0" else f"the lone surrogate U+{ord(bad[0]):04X}"
        raise error(field, "text without NUL and lone surrogates", f"{what} at character {bad.start()}")
    return value


def metadata_json(value: object, field: str = "metadata") -> str:
    """The metadata object as compact JSON text with sorted keys.

    At most 64 KB of UTF-8 and 8 levels deep; numbers are finite and fit 64 bits; keys are text. Equal
    objects give equal text, so that a comparison of texts tells whether metadata changed.
    """
    if not isinstance(value, Mapping):
        raise InvalidItem(field, "a JSON object", f"{type(value).__name__} {shown(value)}")
    _check_json(value, field, depth=1)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if (size := len(text.encode())) > MAX_METADATA_BYTES:
        raise InvalidItem(field, f"at most {MAX_METADATA_BYTES:,} bytes of JSON", f"{size:,} bytes")
    return text


def _check_json(value: Any, field: str, depth: int) -> None:
    if depth > MAX_METADATA_DEPTH + 1:
        raise InvalidItem(field, f"at most {MAX_METADATA_DEPTH} levels", "a deeper value")
    if isinstance(value, str):
        check_text(value, field, minimum=0, maximum=MAX_METADATA_BYTES)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            check_text(name, f"{field} name", minimum=0, maximum=MAX_METADATA_NAME)
            _check_json(inner, f"{field}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_json(inner, field, depth + 1)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise InvalidItem(field, "an integer of 64 bits", shown(value))
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidItem(field, "a finite number", shown(value))
    else:
        raise InvalidItem(field, "a JSON value", f"{type(value).__name__} {shown(value)}")
