"""Bodies are read as Python reads JSON, by a quicker parser where it makes no difference."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from afn_project.api_json import InvalidJson, parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([10**308, 10**400, 5e-324, 1.7976931348623157e308, "e999", "1e999", "0" * 400])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def strictly(body: bytes) -> Any:
    """The same, or why not, by the standard library alone."""

    def number(text: str) -> float:
        if not math.isfinite(value := float(text)):
            raise ValueError(text)
        return value

    def constant(text: str) -> None:
        raise ValueError(text)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(pairs)
        return dict(pairs)

    try:
        text = body.decode("utf-8-sig", "surrogatepass")  # of bytes with a NUL Python would read UTF-16
        return json.loads(text, parse_float=number, parse_constant=constant, object_pairs_hook=members)
    except ValueError:
        return ValueError


def ours(body: bytes) -> Any:
    try:
        return parse(body)
    except ValueError:
        return ValueError


@given(VALUES, st.booleans())
def test_what_python_writes_is_read_back(value, ascii_only):
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert repr(ours(body)) == repr(strictly(body))


@given(st.text('0123456789eE+-.[]{},:"\\ \n\t\0ntrufalsNIy/ud\ud800é', max_size=40))
@example("1e999")
@example("[1E+400]")
@example("9" * 309 + ".0")
@example("-" + "9" * 400 + "e0")
@example("1.8e308")
@example('{"a": 1, "a": 2}')
@example('[{"a": {"b": 1, "b": 2}, "c": ":"}]')
@example('"\\ud800"')
@example("\ufeff{}")
@example("9" * 5_000)
@example("01")
@example("0\0")
def test_anything_else_is_read_or_refused_alike(text):
    body = text.encode("utf-8", "surrogatepass")
    assert repr(ours(body)) == repr(strictly(body))


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'[[{"x": {"a": {}, "b": 2, "a": {}}}]]', b'{":": 1, ":": 2}']
)
def test_no_member_is_lost(body):
    with pytest.raises(InvalidJson, match="Expected members with names of their own"):
        parse(body)


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[-Infinity]", b"[1e999]", b"[1" + b"0" * 400 + b".5]"])
def test_no_number_is_infinite(body):
    with pytest.raises(InvalidJson, match="Expected finite numbers, got"):
        parse(body)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_json_is_read_as_utf_8_only(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"codec can't decode|Expecting value"):
        parse('{"a": "é"}'.encode(encoding))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse('{"a": "é"}'.encode("utf-8-sig")) == {"a": "é"}
