"""JSON in and out: strict about numbers when reading, plain UTF-8 when writing."""

import json
import math
import re
from contextlib import suppress
from typing import Any, Final, NoReturn, cast

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.types import DictStrAny
from pydantic_core import from_json

from vectors.jsonl import repeated_member


class InvalidJson(ValueError):
    """Something that Python reads and JSON does not have, or leaves to whoever reads it."""


# Digits all alike, so that numbers which may be too large for a float show by their form.
_SHAPE: Final = bytes.maketrans(b"123456789E", b"000000000e")
_LARGE_EXPONENT: Final = re.compile(rb"e\+?000")
_LARGE_NUMBER: Final = b"0" * 309


def parse(body: bytes) -> Any:
    """JSON as Python reads it, all numbers finite, members with names of their own; raises ValueError.

    Pydantic's parser takes a tenth of the time, 0.1 ms less for an embedding. It refuses more, without such
    good errors, lets a float grow infinite, and a member replace another of its name. So what it refuses, or
    may have read otherwise, is read again.
    """
    shape = body.translate(_SHAPE)
    if not (_LARGE_NUMBER in shape or _LARGE_EXPONENT.search(shape)):
        with suppress(ValueError):
            data = from_json(body, allow_inf_nan=False)
            if _count_members(data) == body.count(b":"):  # else some were replaced, or texts have colons
                return data
    # Not the bytes: those it would also read as UTF-16, which JSON of others is not (RFC 8259, 8.1).
    text = body.decode("utf-8-sig", "surrogatepass")
    return json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_members)


def _count_members(data: Any) -> int:
    """The members of all objects in it."""
    count, found = 0, [data]
    while found:
        one = found.pop()
        if type(one) is dict:
            count += len(one)
            found += one.values()
        elif type(one) is list:
            found += [inner for inner in one if type(inner) is not float]
    return count


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> DictStrAny:
        if parse_bytes := getattr(request, "parse_bytes", None):  # see vectors.binary
            return cast(DictStrAny, parse_bytes(request))
        return cast(DictStrAny, parse(request.body))


class Utf8Renderer(JSONRenderer):
    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        text = json.dumps(data, cls=self.encoder_class, ensure_ascii=False)
        # A lone surrogate, as a member's name in an error, has no UTF-8 form; its escape is JSON's own.
        return text.encode("utf-8", "backslashreplace")


def _members(pairs: list[tuple[str, Any]]) -> DictStrAny:
    members = dict(pairs)
    if len(members) < len(pairs):  # one of them would be lost, such as a condition of a filter
        raise InvalidJson(f"Expected members with names of their own, got {repeated_member(pairs)} twice.")
    return members


def _refuse(constant: str) -> NoReturn:
    raise InvalidJson(f"Expected finite numbers, got {constant}.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson(f"Expected finite numbers, got {text[:40]}.")
    return number
