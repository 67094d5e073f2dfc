"""Records that are nearly right: each is taken whole, or refused with a reason."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prompts.exchange.checking import from_json
from prompts.exchange.import_files import to_item
from prompts.exchange.importing import import_file
from prompts.exchange.problems import Refusal
from prompts.exchange.records import to_json
from prompts.models import Prompt, User
from tests.prompts.exchange.registries import clear

pytestmark = pytest.mark.django_db

PERSON = {"name": "aoi", "email": "aoi@example.com"}
RECORD: dict[str, Any] = {
    "afn": 1,
    "id": "a" * 32,
    "name": "a/b",
    "title": "T",
    "type": "text",
    "status": "active",
    "language": "en",
    "tags": ["t"],
    "metadata": {"k": 1},
    "source": "s",
    "owner": PERSON,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
    "deleted_at": None,
    "versions": [
        {
            "number": 1,
            "id": "b" * 32,
            "content": "{{a}}",
            "config": {"m": 1},
            "variables": {"a": {"type": "number"}},
            "template_format": "simple",
            "message": "m",
            "author": PERSON,
            "created_at": "2026-01-01T00:00:00Z",
            "parent": None,
            "deleted_at": None,
        },
        {"number": 2, "content": "{{b}}", "parent": 1, "author": None},
    ],
    "labels": {"production": {"version": 1, "moved_at": "2026-01-01T00:00:00Z"}},
    "moves": [
        {
            "label": "production",
            "from": None,
            "to": 1,
            "actor": PERSON,
            "actor_name": "aoi",
            "reason": "r",
            "evidence": {"n": 1},
            "undoes": None,
            "created_at": "2026-01-01T00:00:00Z",
        }
    ],
    "past": [
        {
            "values": {
                "name": "a/b",
                "title": "T",
                "status": "active",
                "language": "en",
                "tags": [],
                "metadata": {},
            },
            "created_at": "2026-01-01T00:00:00Z",
        }
    ],
    "evaluations": [
        {"version": 1, "name": "n", "item": "i", "score": 0.5, "metrics": {"x": 1}, "created_at": None}
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(
            ["", "\0", "\ud800", "x" * 300, "latest", "2026-01-01", "9999-12-31T23:59:59-23:00", "[]", "../x"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(places(RECORD)), value=JSON, drops=st.booleans())
def test_any_value_anywhere(
    tmp_path: Path, user: User, place: tuple[Any, ...], value: Any, drops: bool
) -> None:
    record = copy.deepcopy(RECORD)
    inner = record
    for key in place[:-1]:
        inner = inner[key]
    if drops:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    if isinstance(to_item(1, record), Refusal):
        return
    clear()
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(record))
    result = import_file(path, user)
    assert (result.created, result.failed) == (1, []) or "versions" in place[:1]
    assert import_file(path, user, strict=True).unchanged == result.created
    assert Prompt.everything.count() == result.created


def test_the_record_itself_is_right() -> None:
    assert to_json(from_json(copy.deepcopy(RECORD)))["moves"] == RECORD["moves"]
