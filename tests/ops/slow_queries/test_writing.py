"""When and how many slow queries are written: beside the work, bounded, and never where nothing may be."""

import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from ops.slow_queries import writing
from ops.slow_queries.models import SlowQuery
from ops.slow_queries.noting import Note
from ops.slow_queries.writing import MOST_A_MINUTE, Writer, prune
from tests.processes import manage, wait_for, website
from tests.serving.conftest import Place, Site
from tests.serving.conftest import alone as alone  # a fixture

SLOW = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT MAX(i) FROM n"


def note(sql: str = "SELECT 1", **facts: Any) -> Note:
    return Note(
        **{
            "moment": timezone.now(), "sql": sql, "parameters": None, "seconds": 2.0, "rows": 1,
            "database": "default", "place": "command x", "caller": "", "request_id": "",
        }
        | facts
    )  # fmt: skip


def test_a_minute_has_so_many_and_the_rest_is_counted(db: None, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    writer = Writer(lambda: now[0])
    for _ in range(MOST_A_MINUTE + 7):
        writer.add(note())
    assert writer.flush() == MOST_A_MINUTE
    now[0] = 60.0
    writer.add(note())
    assert "7 slow queries of a minute were not kept" in caplog.text
    assert writer.flush() == 1


def test_the_newest_of_the_last_days_stay(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    monkeypatch.setattr(writing, "KEPT", 3)
    for number in range(5):
        writer.add(note(seconds=float(number)))
        writer.flush()
    assert sorted(SlowQuery.objects.values_list("seconds", flat=True)) == [2.0, 3.0, 4.0]
    SlowQuery.objects.filter(seconds=4.0).update(created_at=timezone.now() - timedelta(days=31))
    assert prune() == 1
    assert prune(timezone.now() + timedelta(days=31)) == 2


def test_what_belongs_to_a_closed_environment_has_no_plan(db: None) -> None:
    writer = Writer()
    writer.add(note(database="environment:gone"))
    writer.add(note(sql="SELECT nothing FROM nowhere"))
    assert writer.flush() == 2
    assert set(SlowQuery.objects.values_list("plan", flat=True)) == {""}


def test_long_texts_are_cut(db: None) -> None:
    writer = Writer()
    writer.add(note(sql="SELECT " + "a, " * 90_000 + "b", place="p" * 500, caller="c" * 500))
    assert writer.flush() == 1
    row = SlowQuery.objects.get()
    assert (len(row.sql), len(row.place), len(row.caller)) == (10_000, 200, 200)


def test_where_the_database_takes_nothing_the_log_says_so_once_a_minute(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise OperationalError("The database is frozen, nothing was written: moving house")

    now = [0.0]
    writer = Writer(lambda: now[0])
    with monkeypatch.context() as patched:
        patched.setattr(writing, "prune", fail)
        for moment in (0.0, 1.0, 61.0):
            now[0] = moment
            writer.add(note())
            assert writer.flush() == 0
    assert caplog.text.count("Slow queries are not kept: The database is frozen") == 2
    assert writer.flush() == 0  # they are gone
    assert not SlowQuery.objects.exists()


def test_where_the_database_is_locked_they_wait(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise OperationalError("database is locked")

    writer = Writer()
    with monkeypatch.context() as patched:
        patched.setattr(writing, "prune", fail)
        writer.add(note(seconds=1.5))
        writer.add(note(seconds=2.5))
        assert writer.flush() == 0
    assert writer.flush() == 2
    assert list(SlowQuery.objects.order_by("id").values_list("seconds", flat=True)) == [1.5, 2.5]


def test_a_database_in_memory_gets_no_thread(db: None) -> None:
    before = threading.active_count()
    Writer().add(note())
    assert threading.active_count() == before


def rows(place: Place) -> list[dict[str, Any]]:
    done = manage("slow_queries", "--json", **place.variables)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def count(place: Place) -> int:
    with sqlite3.connect(f"file:{place.folder / 'afn.db'}?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM slow_queries").fetchone()[0])


def test_a_website_writes_beside_its_requests(alone: Place, tmp_path: Path) -> None:
    """All statements are slow for this one. It is frozen in the end, and goes on to answer."""
    log = tmp_path / "slow.log"
    with website(log, **alone.variables, AFN_SLOW_QUERY_SECONDS="0.000001") as url:
        site = Site(url, alone.key)
        assert site.get("/prompts", **{"X-Request-ID": "from-a-test-3"}).status == 200
        assert wait_for(lambda: count(alone) > 0, 30), log.read_text()
        found = [one for one in rows(alone) if one["place"] == "GET /api/v1/prompts"]
        assert {one["request_id"] for one in found} == {"from-a-test-3"}
        assert any("SCAN" in one["plan"] or "SEARCH" in one["plan"] for one in found)
        assert not any("slow_queries" in one["sql"] for one in found)
        (alone.folder / "afn.db.frozen").write_text("moving house")
        frozen_at = count(alone)
        assert site.get("/labels").status == 200
        assert wait_for(lambda: "Slow queries are not kept" in log.read_text(), 30)
        assert site.get("/datasets").status == 200
        assert count(alone) == frozen_at


def test_a_command_writes_its_last_ones_before_it_ends(alone: Place) -> None:
    script = f"from django.db import connection as c; c.cursor().execute({SLOW!r}, [30000])"
    slow = alone.variables | {"AFN_SLOW_QUERY_SECONDS": "0.001"}
    done = manage("shell", "-v", "0", "-c", script, **slow)
    assert done.returncode == 0, done.stderr
    [one] = [one for one in rows(alone) if one["sql"].startswith("WITH RECURSIVE")]
    assert (one["place"], one["rows"], one["count"]) == ("command shell", 1, 1)
    assert one["sql"].endswith("WHERE i < ?) SELECT MAX(i) FROM n")
    assert "SCAN n" in one["plan"]
