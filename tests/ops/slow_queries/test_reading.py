"""Slow queries in the API, the console and the command; and what Redis keeps itself."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis

from ops.slow_queries import plans
from ops.slow_queries.models import SlowQuery
from ops.slow_queries.reading import groups
from ops.slow_queries.redis_log import NotReadable, read_log
from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer
from tests.servers import redis_server

PAGE = "/admin/ops/slowquery/"
CANARY = "canary-77ab"


def add(name: str, *seconds: float, **facts: Any) -> list[SlowQuery]:
    return [
        SlowQuery.objects.create(
            **{
                "created_at": timezone.now(), "fingerprint": name, "sql": f"SELECT {name}", "seconds": one,
                "database": "default", "plan": "SCAN prompts", "place": "GET /api/v1/prompts",
                "caller": "prompts.search:120", "request_id": "abc",
            }
            | facts
        )
        for one in seconds
    ]  # fmt: skip


def test_statements_are_grouped_and_the_most_costly_comes_first(db: None) -> None:
    add("a", 3.0, 1.0, 2.0, 9.0)
    [last] = add("b", 20.0)
    first, second = groups(10)
    assert (first.fingerprint, first.latest) == ("b", last)
    assert (second.count, second.p50, second.longest, second.total) == (4, 2.0, 9.0, 15.0)
    assert second.latest.seconds == 9.0
    assert [one.fingerprint for one in groups(1)] == ["b"]
    assert groups(10, since=timezone.now() + timedelta(seconds=1)) == []


def test_the_api_shows_them_to_whoever_may(api: Api, aoi: User) -> None:
    add("a", 1.0, 2.0)
    found = api.get("/slow-queries")
    assert found.status_code == 200, found.content
    [one] = found.json()["items"]
    assert (one["fingerprint"], one["count"], one["p50_seconds"], one["max_seconds"]) == ("a", 2, 1.0, 2.0)
    assert (one["plan"], one["caller"], one["request_id"]) == ("SCAN prompts", "prompts.search:120", "abc")
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api.get("/slow-queries", since=later).json() == {"items": []}
    for wrong in ({"limit": 0}, {"limit": 201}, {"since": "yesterday"}):
        assert api.get("/slow-queries", **wrong).status_code == 422
    carl = User.objects.create_user("carl", "carl@example.com", "x")
    assert Api(bearer(ApiKey.issue(carl, "k", ["read", "write"])[1])).get("/slow-queries").status_code == 403


def test_a_list_of_many_takes_as_many_statements_as_one_of_one(api: Api) -> None:
    api.get("/slow-queries")  # the key is used for the first time
    counts = set()
    for number in range(3):
        add(f"name-{number}", 1.0, 2.0)
        with CaptureQueriesContext(connection) as queries:
            api.get("/slow-queries")
        counts.add(len(queries))
    assert len(counts) == 1


def test_the_console_shows_groups_then_times_then_one_with_its_plan(console: Client) -> None:
    row, _ = add("abc123", 1.5, 2.5, sql='SELECT "<script>" FROM prompts')
    add("other", 1.0)
    page = console.get(PAGE).content.decode()
    assert page.index("abc123") < page.index("other")
    assert "SELECT &quot;&lt;script&gt;&quot;" in page
    assert "There is no Redis" in page
    times = console.get(PAGE, {"fingerprint": "abc123"}).content.decode()
    assert "1.50 s" in times
    assert "2.50 s" in times
    assert "1.00 s" not in times
    one = console.get(reverse("admin:ops_slowquery_change", args=[row.pk])).content.decode()
    assert "SCAN prompts" in one
    assert 'name="_save"' not in one
    for path in (PAGE + "add/", reverse("admin:ops_slowquery_delete", args=[row.pk])):
        assert console.get(path).status_code == 403


def test_the_page_of_a_statement_has_its_plan_as_a_tree_and_what_to_do(console: Client) -> None:
    plan = "SCAN prompts\n  SEARCH <b> USING INDEX i (id=?)\nUSE TEMP B-TREE FOR ORDER BY"
    add("abc123", 1.5, 2.5, plan=plan)
    page = reverse("admin:ops_slowquery_statement", args=["abc123"])
    answer = console.get(page)
    [scan, _sort] = answer.context["plan"]
    assert (scan.is_slow, [one.text for one in scan.within]) == (True, ["SEARCH <b> USING INDEX i (id=?)"])
    assert [one.split(":")[0] for one in answer.context["advice"]] == [
        "It reads all rows of prompts",
        "It sorts for ORDER BY",
    ]
    assert "SEARCH &lt;b&gt;" in answer.content.decode()
    assert sum(point.y for point in answer.context["chart"].series[0].points) == 2
    assert not plans.advice(
        "SCAN json_each VIRTUAL TABLE INDEX 1:\nSCAN x USING COVERING INDEX y\nSCAN (subquery-1)"
    )
    for query in ({"database": "nowhere"}, {"hours": "1", "database": "nowhere"}):
        assert console.get(page, query).status_code == 404
        assert "No slow queries" in console.get(PAGE, query).content.decode()


def test_the_console_counts_nothing_and_says_so_where_there_is_none(console: Client) -> None:
    assert "No slow queries" in console.get(PAGE).content.decode()
    add("a", 1.0)
    with CaptureQueriesContext(connection) as queries:
        console.get(PAGE)
    assert [one["sql"] for one in queries if "COUNT(" in one["sql"]] == []


def test_the_console_is_for_whoever_may(aoi: User) -> None:
    dora = User.objects.create_user("dora", "dora@example.com", "x", is_staff=True)
    client = Client()
    client.force_login(dora)
    assert client.get(PAGE).status_code == 403


def test_the_command_prints_them(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    add("a", 1.0, 3.0)
    call_command("slow_queries")
    printed = capsys.readouterr().out
    assert printed.startswith("a  2×  p50 1.00 s  max 3.00 s  last ")
    assert "GET /api/v1/prompts  prompts.search:120\n  SELECT a\n  → SCAN prompts\n" in printed
    call_command("slow_queries", json=True)
    assert json.loads(capsys.readouterr().out)["max_seconds"] == 3.0
    with pytest.raises(CommandError, match="--limit: expected 1 to 200, got 0"):
        call_command("slow_queries", limit=0)
    with pytest.raises(CommandError, match="expected REDIS_URL"):
        call_command("slow_queries", redis=True)


def test_redis_log_shows_commands_and_beginnings_of_keys_and_no_value(
    tmp_path: Path, settings: Settings, console: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with redis_server(tmp_path, "--slowlog-log-slower-than", "0") as server:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = server.url
        with Redis.from_url(server.url) as client:
            client.set(f"afn:rate:{CANARY}", CANARY)
            client.mget(f"afn:one:{CANARY}", "celery", f"{CANARY} with spaces:x:y")
            client.lpush("celery", CANARY)
            client.eval("return redis.call('GET', KEYS[1])", 1, f"afn:eval:{CANARY}", CANARY)
            client.execute_command("ECHO", CANARY)
        found = {one.command: one for one in read_log()}
        assert found["SET"].keys == ("afn:rate:…",)
        assert found["MGET"].keys == ("afn:one:…", "celery", "…")
        assert found["LPUSH"].keys == ("celery",)
        assert found["EVAL"].keys == ("afn:eval:…",)
        assert found["ECHO"].keys == ()
        assert CANARY not in str(found)
        assert found["SET"].milliseconds >= 0
        assert abs(found["SET"].moment - timezone.now()) < timedelta(minutes=1)
        assert "afn:rate:…" in console.get(PAGE).content.decode()
        call_command("slow_queries", redis=True)
        assert "SET  afn:rate:…" in capsys.readouterr().out
        call_command("slow_queries", redis=True, json=True, limit=1)
        assert set(json.loads(capsys.readouterr().out)) == {
            "moment", "milliseconds", "command", "keys", "server",
        }  # fmt: skip


def test_a_user_of_redis_who_may_not_read_it_is_told_who_may(
    tmp_path: Path, settings: Settings, console: Client
) -> None:
    with redis_server(tmp_path) as server:
        with Redis.from_url(server.url) as client:
            client.execute_command("ACL", "SETUSER", "app", "on", f">{CANARY}", "+ping", "+client", "+select")
        settings.REDIS_URL = server.url.replace("://", f"://app:{CANARY}@")
        settings.CELERY_BROKER_URL = settings.REDIS_URL
        with pytest.raises(NotReadable, match=r"may not read SLOWLOG.*redis://monitor@") as raised:
            read_log()
        assert CANARY not in str(raised.value)
        assert "may not read SLOWLOG" in console.get(PAGE).content.decode()
        settings.REDIS_URL = settings.CELERY_BROKER_URL = settings.REDIS_URL.replace(CANARY, "another-one")
        with pytest.raises(NotReadable, match="refuses the user or the password"):
            read_log()
    with pytest.raises(NotReadable, match="does not answer"):
        read_log()
