"""What Pydantic refuses, said as everything else is: what was expected, and what came.

Of texts that came only the length is told, or of a choice their beginning: somebody may have put a secret
into the wrong place, and proxies keep answers.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from pydantic import BaseModel

from .api_description import describe_errors

_SHOWN: Final = 40


class Api(NinjaAPI):
    """Keeps what an error needs to be told; Ninja's own throws the input away.

    Its description tells of each operation the errors, in their form and with these statuses.
    """

    def __init__(
        self, *, error_form: type[BaseModel], error_statuses: Collection[int], **options: Any
    ) -> None:
        super().__init__(**options)
        self._error_form, self._error_statuses = error_form, error_statuses

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        describe_errors(schema, self._error_form, self._error_statuses)
        return schema

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext]
    ) -> ValidationError:
        found = []
        for context in error_contexts:
            source = context.model.__ninja_param_source__
            names = context.model.__ninja_flatten_map_reverse__
            for error in context.pydantic_validation_error.errors(include_url=False):
                place = (source, *names.get(error["loc"], error["loc"]))
                found.append({"loc": place, "type": error["type"], **describe(error)})
        return ValidationError(found)


def describe(error: Any) -> dict[str, str]:
    """``msg``, and where they are known ``expected`` and ``got``."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind in ("too_long", "too_short") and isinstance(value, str):
        kind = f"string_{kind}"
    if say := _EXPECTED.get(kind):
        expected = say(context) if callable(say) else say
        got = _GOT.get(kind, _kind_or_number)(value, context)
    elif isinstance(context.get("expected"), str) and isinstance(context.get("got"), str):  # our own
        expected, got = context["expected"], context["got"]
    else:
        return {"msg": error["msg"].removeprefix("Value error, ")}
    where = context.get("where", "")
    return {"msg": f"Expected {expected}, got {got}{where}", "expected": expected, "got": got}


def _kind_or_number(value: Any, context: dict[str, Any]) -> str:
    """What a value is; a number itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        text = repr(value) if not isinstance(value, int) or value.bit_length() < 1_000 else "a huge number"
        return text[:_SHOWN]
    if isinstance(value, str):
        return f"a text of {_count(len(value), 'character')}"
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, type(value).__name__)


def _choice(value: Any, context: dict[str, Any]) -> str:
    return repr(value[:_SHOWN]) if isinstance(value, str) else _kind_or_number(value, context)


def _number(value: Any, context: dict[str, Any]) -> str:
    """In an address a number is text, and no secret."""
    return value[:_SHOWN] if isinstance(value, str) else _kind_or_number(value, context)


def _surrogate(value: Any, context: dict[str, Any]) -> str:
    return "a lone surrogate"


def _plain(bound: float) -> str:
    return f"{int(bound):,}" if float(bound).is_integer() else str(bound)


def _length(value: Any, context: dict[str, Any]) -> str:
    try:
        return f"{len(value):,}"
    except TypeError:
        return "more"


def _nothing(value: Any, context: dict[str, Any]) -> str:
    return "nothing"


def _one(value: Any, context: dict[str, Any]) -> str:
    return "one"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _entries(context: dict[str, Any]) -> str:
    return "member" if context.get("field_type") == "Dictionary" else "entry"


def _plural(number: int, context: dict[str, Any]) -> str:
    word = _entries(context)
    return f"{number:,} {word if number == 1 else {'entry': 'entries'}.get(word, word + 's')}"


_MOMENT: Final = "a date and time with a time zone, such as 2026-05-01T09:30:00Z"
_Say = str | Callable[[dict[str, Any]], str]
_EXPECTED: Final[dict[str, _Say]] = {
    "missing": "a value",
    "extra_forbidden": "no member of this name",
    "string_too_long": lambda ctx: f"at most {_count(ctx['max_length'], 'character')}",
    "string_too_short": lambda ctx: f"at least {_count(ctx['min_length'], 'character')}",
    "string_pattern_mismatch": lambda ctx: f"text of the form {ctx['pattern']}",
    "too_long": lambda ctx: f"at most {_plural(ctx['max_length'], ctx)}",
    "too_short": lambda ctx: f"at least {_plural(ctx['min_length'], ctx)}",
    "greater_than": lambda ctx: f"a number above {_plain(ctx['gt'])}",
    "greater_than_equal": lambda ctx: f"a number from {_plain(ctx['ge'])} on",
    "less_than": lambda ctx: f"a number below {_plain(ctx['lt'])}",
    "less_than_equal": lambda ctx: f"a number up to {_plain(ctx['le'])}",
    "literal_error": lambda ctx: str(ctx["expected"]),
    "enum": lambda ctx: str(ctx["expected"]),
    "string_type": "a text",
    "string_unicode": "text without lone surrogates",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of a usual size",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": _MOMENT,
}
_GOT: Final[dict[str, Callable[[Any, dict[str, Any]], str]]] = {
    "missing": _nothing,
    "extra_forbidden": _one,
    "string_too_long": _length,
    "string_too_short": _length,
    "too_long": _length,
    "too_short": _length,
    "greater_than": _number,
    "greater_than_equal": _number,
    "less_than": _number,
    "less_than_equal": _number,
    "string_unicode": _surrogate,
    "literal_error": _choice,
    "enum": _choice,
    "int_parsing": _choice,
    "float_parsing": _choice,
    "bool_parsing": _choice,
    "datetime_parsing": _choice,
    "datetime_from_date_parsing": _choice,
    "timezone_aware": _choice,
}
