"""Kinds, events and the history of a process."""

import json
from datetime import UTC, datetime

import pytest

from ops.realtime.events import MAX_BYTES, Event, order_of, render
from ops.realtime.history import History
from ops.realtime.kinds import Filter, check_kind, may_hear

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)


def event(number: int, body: str = "{}") -> Event:
    return Event(f"1000-{number}", "prompt.created", body)


def test_a_filter_takes_kinds_and_areas() -> None:
    wanted = Filter.read(["prompt.*", " job.failed "])
    assert [wanted.wants(kind) for kind in ("prompt.created", "job.failed", "job.running", "prompts.x")] == [
        True,
        True,
        False,
        False,
    ]
    assert Filter.read([""]).wants("alert.raised")


@pytest.mark.parametrize(
    "pattern", ["prompt", "*.created", "secret.*", "prompt.*.x", "Prompt.created", "job.1"]
)
def test_a_filter_refuses_what_is_no_kind(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^kinds: expected .* got "):
        Filter.read([pattern])


def test_kinds_are_heard_by_those_who_may() -> None:
    reader, admin = frozenset([""]), frozenset(["", "ops.view_job"])
    assert may_hear("label.moved", reader)
    assert not may_hear("job.failed", reader)
    assert may_hear("backup.made", admin)
    assert not may_hear("unknown.thing", admin)
    with pytest.raises(ValueError, match="kind: expected one of prompt, "):
        check_kind("unknown.thing")


def test_data_that_are_too_large_are_cut_to_what_fits() -> None:
    body = render("job.running", {"job": {"id": "a"}, "message": "ü" * 5_000}, MOMENT)
    assert len(body.encode()) <= MAX_BYTES
    assert json.loads(body)["data"] == {"truncated": True, "job": {"id": "a"}}
    text = Event("1-0", "job.running", body).text
    assert json.loads(text) == {"type": "event", "id": "1-0", **json.loads(body)}


def test_ids_are_ordered_as_numbers() -> None:
    assert order_of("1000-9") < order_of("1000-10") < order_of("10000-0")
    with pytest.raises(ValueError, match="expected one of an event"):
        order_of("1-1; DROP")


def test_events_are_kept_once_and_in_order() -> None:
    history = History()
    history.add([event(1), event(2)])
    history.add([event(2), event(1), event(3)])
    assert [one.id for one in history.read(0, 9) or []] == ["1000-1", "1000-2", "1000-3"]
    assert history.end() == ("1000-3", 3)
    assert history.position_after(order_of("1000-2")) == 2


def test_what_is_gone_is_too_old() -> None:
    history = History(max_events=10)
    history.add(event(number) for number in range(30))
    kept = history.read(history.end()[1] - 10, 99)
    assert kept is not None
    assert kept[-1].id == "1000-29"
    assert history.read(0, 1) is None
    assert history.position_after(order_of("1000-1")) is None
    assert history.position_after(order_of("1000-30")) is None


def test_memory_is_bounded_by_bytes_as_well() -> None:
    history = History(max_bytes=10_000)
    for number in range(100):
        history.add([event(number, "x" * 1_000)])
    assert len(history.read(history.end()[1] - 9, 99) or []) == 9
    assert history.read(80, 1) is None


def test_after_a_gap_every_position_is_too_old() -> None:
    history = History()
    history.add([event(1), event(2)])
    _, position = history.end()
    history.replace([Event("2000-0", "", "{}"), Event("2000-1", "prompt.created", "{}")])
    assert history.gaps == 1
    assert history.read(position, 9) is None
    assert history.position_after(order_of("1000-2")) is None
    assert history.position_after(order_of("2000-0")) == history.end()[1] - 1


def test_a_process_alone_makes_ids_that_grow() -> None:
    history = History()
    for _ in range(50):
        history.add_new("prompt.created", "{}")
    found = history.read(0, 99) or []
    assert found[0].kind == ""  # to go on from before the first
    orders = [one.order for one in found]
    assert orders == sorted(set(orders))
    assert len(orders) == 51
