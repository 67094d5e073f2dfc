"""JSON in and out: strict about numbers when reading, plain UTF-8 when writing."""

import json
import math
from typing import Any, NoReturn, cast

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.types import DictStrAny

from vectors.jsonl import repeated_member


class InvalidJson(ValueError):
    """Something that Python reads and JSON does not have, or leaves to whoever reads it."""


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> DictStrAny:
        if parse := getattr(request, "parse_bytes", None):  # see vectors.binary
            return cast(DictStrAny, parse(request))
        data = json.loads(
            request.body, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_members
        )
        return cast(DictStrAny, data)


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
