"""The parameter ``filter`` of the list: conditions on versions as JSON, all of which have to be met.

``[{"type": "string", "column": "name", "operator": "starts with", "value": "tools/"}]``. Unlike Langfuse's
server, ``%`` and ``_`` stand for themselves, and conditions on members of ``config`` are refused.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any, Final

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, Value
from pydantic import TypeAdapter, ValidationError

from ..errors import RegistryProblem
from ..models import LATEST, PromptLabel
from .schemas import Moment, Text

MAX_CONDITIONS: Final = 20
MAX_VALUES: Final = 100
_TEXTS: Final = {"id": "pk", "name": "prompt__name", "type": "prompt__type"}
_MOMENTS: Final = {"createdAt": "created_at", "updatedAt": "changed"}
_COMPARISONS: Final = {">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}
_TICK: Final = timedelta(microseconds=1)
_SEARCHES: Final = {"contains": "icontains", "starts with": "istartswith", "ends with": "iendswith"}
_moment: Final = TypeAdapter(Moment)
_text: Final = TypeAdapter(Text)


class HasElement(Func):
    """Is the second expression an element of the first, a JSON array?"""

    template = "EXISTS (SELECT 1 FROM json_each(%(expressions)s)"
    arg_joiner = ") WHERE value = "
    output_field = BooleanField()


def labelled(label: str) -> Q:
    """Versions that the label serves."""
    if label == LATEST:
        return Q(version=F("prompt__version"))
    return Q(Exists(PromptLabel.objects.filter(version=OuterRef("pk"), name=label)))


def tagged(tag: str) -> Q:
    return Q(HasElement(F("prompt__tags"), Value(tag)))


def compared(name: str, operator: str, moment: datetime) -> Q:
    """A moment of a version, compared with another. The database compares texts, of which some end with
    milliseconds and come before the same moment with microseconds; never an upper bound does, so only those
    are used that leave no room for it.
    """
    if operator in (">=", "<") and moment.replace(tzinfo=None) > datetime.min:
        operator, moment = (">" if operator == ">=" else "<="), moment - _TICK
    return Q(**{f"{name}__{_COMPARISONS[operator]}": moment})


def parse(text: str) -> Q:
    """The conditions as one. Raises ``RegistryProblem``."""
    try:
        conditions = json.loads(text)
    except (ValueError, RecursionError):
        raise RegistryProblem("filter", "a JSON list of conditions", repr(text[:80])) from None
    if not isinstance(conditions, list) or len(conditions) > MAX_CONDITIONS:
        got = f"{len(conditions)}" if isinstance(conditions, list) else type(conditions).__name__
        raise RegistryProblem("filter", f"a list of at most {MAX_CONDITIONS} conditions", got)
    return reduce(and_, (_condition(one, f"filter[{at}]") for at, one in enumerate(conditions)), Q())


def _condition(given: Any, field: str) -> Q:
    if not isinstance(given, dict):
        raise RegistryProblem(field, "an object with type, column, operator and value", type(given).__name__)
    kind = _choice(given.get("type"), f"{field}.type", list(_KINDS))
    return _KINDS[kind](given.get("column"), given.get("operator"), given.get("value"), field)


def _string(column: Any, operator: Any, value: Any, field: str) -> Q:
    name = _TEXTS[_choice(column, f"{field}.column", list(_TEXTS))]
    known = ["=", "does not contain", "is not empty", *_SEARCHES]
    operator = _choice(operator, f"{field}.operator", known)
    if operator == "is not empty":
        return ~Q(**{name: ""})
    text = _storable(value, f"{field}.value")
    if operator == "=":
        return Q(**{name: text})
    if operator == "does not contain":
        return ~Q(**{f"{name}__icontains": text})
    return Q(**{f"{name}__{_SEARCHES[operator]}": text})


def _options(column: Any, operator: Any, value: Any, field: str) -> Q:
    name = _TEXTS[_choice(column, f"{field}.column", list(_TEXTS))]
    operator = _choice(operator, f"{field}.operator", ["any of", "none of"])
    found = Q(**{f"{name}__in": _list(value, f"{field}.value")})
    return found if operator == "any of" else ~found


def _number(column: Any, operator: Any, value: Any, field: str) -> Q:
    _choice(column, f"{field}.column", ["version"])
    operator = _choice(operator, f"{field}.operator", ["=", *_COMPARISONS])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**31 or value % 1:
        raise RegistryProblem(f"{field}.value", "the number of a version", repr(value)[:80])
    return Q(**{f"version__{_COMPARISONS.get(operator, 'exact')}": value})


def _datetime(column: Any, operator: Any, value: Any, field: str) -> Q:
    name = _MOMENTS[_choice(column, f"{field}.column", list(_MOMENTS))]
    operator = _choice(operator, f"{field}.operator", list(_COMPARISONS))
    try:
        moment = _moment.validate_python(value)
    except ValidationError:
        raise RegistryProblem(
            f"{field}.value", "a date and time with a time zone", repr(value)[:80]
        ) from None
    return compared(name, operator, moment)


def _array(column: Any, operator: Any, value: Any, field: str) -> Q:
    has = {"labels": labelled, "tags": tagged}[_choice(column, f"{field}.column", ["labels", "tags"])]
    operator = _choice(operator, f"{field}.operator", ["any of", "all of", "none of"])
    each = [has(one) for one in _list(value, f"{field}.value")]
    return (
        reduce(and_, each) if operator == "all of" else ~_any(each) if operator == "none of" else _any(each)
    )


def _any(conditions: Sequence[Q]) -> Q:
    return reduce(or_, conditions)


def _choice(value: Any, field: str, known: list[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise RegistryProblem(field, f"one of {', '.join(known)}", repr(value)[:80])
    return value


def _list(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
        raise RegistryProblem(field, f"a list of 1 to {MAX_VALUES} texts", repr(value)[:80])
    return [_storable(one, field) for one in value]


def _storable(value: Any, field: str) -> str:
    try:
        return _text.validate_python(value, strict=True)
    except ValidationError:
        raise RegistryProblem(field, "text without NUL and lone surrogates", repr(value)[:80]) from None


_KINDS: Final[dict[str, Callable[[Any, Any, Any, str], Q]]] = {
    "string": _string,
    "stringOptions": _options,
    "number": _number,
    "datetime": _datetime,
    "arrayOptions": _array,
}
