"""What is noted of a slow statement: all that helps to find it, and none of its values."""

import contextvars
import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from ops import request_ids
from ops.audit.context import of_request
from ops.audit.middleware import AuditMiddleware
from ops.slow_queries import noting
from ops.slow_queries.models import SlowQuery
from ops.slow_queries.normalising import fingerprint, is_explainable, normalise
from ops.slow_queries.writing import Writer
from prompts.accounts import find_author
from prompts.models import User

from .conftest import Clock, Run

CANARY = "canary-5d20"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SELECT "a"."b" FROM a\n WHERE x = %s LIMIT 21', 'SELECT "a"."b" FROM a WHERE x = ? LIMIT ?'),
        ("select 'it''s', x'00ff', 0x1F, 1.5e3, T1.c2", "select ?, ?, ?, ?, T1.c2"),
        (f"SELECT 1 -- {CANARY}\n/* {CANARY} */ + 2", "SELECT ? + ?"),
        (f'SELECT "{CANARY} of a text", `b`, [c]', 'SELECT "?", `b`, [c]'),
        (f"SELECT '{CANARY}", "SELECT ?"),
        ("SELECT a FROM t WHERE b IN (%s)", "SELECT a FROM t WHERE b IN (?, …)"),
        ("SELECT a FROM t WHERE b IN (%s, %s,%s)", "SELECT a FROM t WHERE b IN (?, …)"),
        ("INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s)", "INSERT INTO t (a, b) VALUES (?, …)"),
        ("INSERT INTO t (a) VALUES (%s), (%s)", "INSERT INTO t (a) VALUES (?)"),
        ("SELECT %(name)s, ?1, :foo", "SELECT ?, ?, ?"),
        ('SAVEPOINT "s140_x5"', "SAVEPOINT ?"),
    ],
)
def test_a_statement_is_known_without_its_values(sql: str, expected: str) -> None:
    assert normalise(sql) == expected
    assert CANARY not in normalise(sql)


def test_the_same_statement_has_the_same_fingerprint() -> None:
    one, two, other = (
        fingerprint(normalise(f"SELECT a FROM t WHERE {rest}")) for rest in ("b = 1", "b =  'x'", "c = 1")
    )
    assert one == two != other
    assert len(one) == 16


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", True), ("VALUES (1)", True), ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        (" ( SELECT 1", True), ("-- x\nSELECT 'DELETE'", True),
        ("WITH x AS (SELECT 1) DELETE FROM t", False), ("UPDATE t SET a = 1", False),
        ("PRAGMA optimize", False),
        ("SELECT writefile('a', 'b')", False), ("SELECT load_extension('x')", False), ("VACUUM", False),
        ("EXPLAIN SELECT 1", False), ("INSERT INTO t SELECT 1", False), ("SELECT 1" + " " * 200_000, False),
    ],
)  # fmt: skip
def test_only_what_reads_is_explained(sql: str, expected: bool) -> None:
    assert is_explainable(sql, normalise(sql)) is expected


def test_a_slow_statement_is_kept_with_its_plan_and_without_values(run: Run) -> None:
    User.objects.create_user("ben", f"{CANARY}@example.com", "x")
    row = run("SELECT username FROM users WHERE email = %s OR email = 'x'", [f"{CANARY}@example.com"], 2.5)
    assert row.sql == "SELECT username FROM users WHERE email = ? OR email = ?"
    assert (row.seconds, row.rows, row.database, row.error) == (2.5, 1, "default", "")
    assert row.plan.startswith(("SCAN users", "SEARCH users", "MULTI-INDEX OR"))
    assert row.fingerprint == fingerprint(row.sql)
    assert CANARY not in str(list(SlowQuery.objects.values()))


def test_a_statement_that_is_fast_enough_is_not_kept(run: Run) -> None:
    assert run("SELECT 1", seconds=0.99) is None
    assert run("SELECT 1", seconds=1.0) is not None


def test_zero_keeps_nothing(run: Run, settings: Settings) -> None:
    settings.AFN_SLOW_QUERY_SECONDS = 0.0
    assert run("SELECT 1", seconds=900.0) is None


def test_names_of_parameters_are_explained_as_well(run: Run) -> None:
    row = run("SELECT username FROM users WHERE id = %(key)s", {"key": CANARY})
    assert row.plan.startswith("SEARCH users")


def test_a_write_is_kept_without_a_plan_and_with_the_number_of_rows(run: Run, aoi: User) -> None:
    row = run("UPDATE users SET is_staff = 1 WHERE id = %s", [aoi.pk])
    assert (row.rows, row.plan) == (1, "")


def test_many_values_at_once_are_one_statement(writer: Writer, clock: Clock) -> None:
    clock.step = 2.0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE many_at_once (a)")
        cursor.executemany("INSERT INTO many_at_once VALUES (%s)", [(1,), (2,), (3,)])
    clock.step = 0.0
    assert writer.flush() == 2
    assert SlowQuery.objects.latest("id").rows == 3


def test_one_that_fails_is_kept_with_its_kind_of_error(run: Run, aoi: User) -> None:
    with pytest.raises(IntegrityError):
        run("INSERT INTO auth_group (id, name) VALUES (%s, NULL)", [1])
    run("SELECT 1")
    failed = SlowQuery.objects.get(error="IntegrityError")
    assert failed.rows is None


def test_the_rows_can_still_be_fetched(writer: Writer, clock: Clock, aoi: User) -> None:
    clock.step = 2.0
    assert list(User.objects.values_list("username", flat=True)) == ["aoi"]
    clock.step = 0.0
    writer.flush()
    assert SlowQuery.objects.get().rows == 1


def test_the_writing_is_not_noted_itself(run: Run, clock: Clock, writer: Writer) -> None:
    clock.step = 5.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert [writer.flush() for _ in range(3)] == [1, 0, 0]


def test_it_says_which_route_asked_with_which_id(
    writer: Writer, clock: Clock, aoi: User, client: Any, settings: Settings
) -> None:
    settings.AFN_PUBLIC_READ = True
    clock.step = 2.0
    client.get("/api/v1/prompts?prefix=canary-5d20", headers={"X-Request-ID": "abc-6"})
    clock.step = 0.0
    writer.flush()
    rows = SlowQuery.objects.filter(sql__contains='FROM "prompts"')
    assert {(row.place, row.request_id) for row in rows} == {("GET /api/v1/prompts", "abc-6")}
    assert all(row.caller.startswith(("prompts.", "vectors.")) for row in rows)
    assert CANARY not in str(list(SlowQuery.objects.values()))


def test_before_any_view_it_says_which_part_of_the_site(run: Run, rf: RequestFactory) -> None:
    with of_request(rf.post("/mcp")), request_ids.carrying("abc-7"):
        row = run("SELECT 1")
    assert (row.place, row.request_id) == ("POST mcp", "abc-7")


def test_it_says_which_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/x/manage.py", "embed_prompts", "--rebuild"])
    assert run("SELECT 1").place == "command embed_prompts"
    monkeypatch.setattr("sys.argv", ["/usr/bin/celery", "--app", CANARY])
    assert run("SELECT 1").place == "program celery"


def test_a_thread_is_named(run: Run) -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(noting._place()), name="outbox")
    contextvars.Context().run(thread.start)
    thread.join()
    assert found == ["thread outbox"]


def test_the_caller_is_a_line_of_ours_by_its_module(writer: Writer, clock: Clock, aoi: User) -> None:
    clock.step = 2.0
    find_author("aoi")
    clock.step = 0.0
    writer.flush()
    module, _, line = SlowQuery.objects.first().caller.partition(":")  # type: ignore[union-attr]
    assert module.startswith("prompts.")
    assert int(line) > 0


def test_middleware_is_no_caller(run: Run, rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        run("SELECT 1")
        return HttpResponse()

    AuditMiddleware(view)(rf.get("/"))
    assert SlowQuery.objects.get().caller == ""


def test_a_wrapper_of_somebody_elses_is_taken_off_alone(db: None) -> None:
    connection.execute_wrappers[:] = [one for one in connection.execute_wrappers if one is not noting.timed]

    def other(execute: Any, *arguments: Any) -> Any:
        return execute(*arguments)

    with connection.execute_wrapper(other):
        noting.watch(connections["default"])
        noting.watch(connections["default"])
    assert connection.execute_wrappers.count(noting.timed) == 1
    assert other not in connection.execute_wrappers


def test_a_request_goes_on_where_noting_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("broken")

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    monkeypatch.setattr(noting, "_place", fail)
    assert run("SELECT 1") is None
    assert "A slow query could not be noted" in caplog.text
