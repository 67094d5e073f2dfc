"""Reading the audit log: by the API, the console and the command."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from ops.audit.models import AuditEntry
from ops.audit.recording import record
from prompts.models import User
from tests.api.conftest import Api, problems
from tests.processes import manage

PAGE = "/admin/ops/auditentry/"


@pytest.fixture
def lines(aoi: User) -> None:
    for number in range(5):
        record("label.moved", kind="prompts.prompt", key=f"p{number}", name=f"prompt {number}")
    record("label.removed", kind="prompts.prompt", key="p1", actor=(aoi.pk, "aoi"))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"action": "label.moved"}, 5),
        ({"action": "label.*"}, 6),
        ({"action": "label"}, 0),
        ({"object_type": "prompts.prompt", "object_id": "p1"}, 2),
        ({"actor": "aoi", "action": "label.*"}, 1),
        ({"source": "command", "action": "label.*"}, 6),
        ({"source": "mcp"}, 0),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"until": "2000-01-01T00:00:00Z"}, 0),
        ({"action": "label.moved' OR 1=1 --"}, 0),
    ],
)
def test_filters(reader: Api, lines: None, query: Any, count: int):
    answer = reader.get("/audit", **query)
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["items"]) == count


def test_pages_follow_each_other(reader: Api, lines: None):
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = reader.get("/audit", limit=2, action="label.*", **before).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert len(seen) == 6
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"source": "telepathy"}, "source"),
        ({"since": "yesterday"}, "since"),
        ({"limit": 501}, "limit"),
        ({"before": 0}, "before"),
        ({"action": "x" * 256}, "action"),
        ({"actor": "a\0"}, "actor"),
    ],
)
def test_wrong_filters_are_named(reader: Api, query: Any, field: str):
    answer = reader.get("/audit", **query)
    assert answer.status_code == 422
    assert list(problems(answer)) == [field]


def test_the_console_shows_and_changes_nothing(aoi: User, lines: None, django_assert_num_queries):
    client = Client()
    client.force_login(aoi)
    entry = AuditEntry.objects.get(action="label.removed")
    # Session, user, page.
    with django_assert_num_queries(3):
        assert client.get(PAGE).status_code == 200
    shown = client.get(PAGE, {"action": "label.rem*", "source": "command"})
    assert [line.entry.pk for line in shown.context["lines"]] == [entry.pk]
    assert [chip.value for chip in shown.context["chips"]] == ["label.rem*", "Command"]
    page = reverse("admin:ops_auditentry_change", args=[entry.pk])
    assert "label.removed" in client.get(page).content.decode()
    for field, value in (
        ("since", "yesterday"),
        ("since", "0001-01-01"),
        ("until", "9999-12-31"),
        ("source", "telepathy"),
        ("actor", "a\0"),
    ):
        wrong = client.get(PAGE, {field: value})
        assert (wrong.status_code, len(wrong.context["wrong"])) == (200, 1)
    for path in (PAGE + "add/", page, reverse("admin:ops_auditentry_delete", args=[entry.pk])):
        assert client.post(path, {"post": "yes", "action": "x"}).status_code == 403
    client.post(PAGE, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def run(**options: Any) -> list[str]:
    out = StringIO()
    call_command("audit_log", stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_command_prints_lines(lines: None):
    found = [json.loads(line) for line in run(json=True, since="1h", action="label.*")]
    assert len(found) == 6
    assert found[0]["actor_name"] == "aoi"
    assert "label.removed" in run(limit=1)[0]
    assert run(since="2100-01-01") == []
    assert len(run(until="2100-01-01T00:00", object="p1")) == 2


def test_the_command_says_that_there_is_more(lines: None):
    for limit, said in ((5, "more than these 5 lines"), (6, "")):
        err = StringIO()
        call_command("audit_log", stdout=StringIO(), stderr=err, limit=limit, action="label.*")
        assert (said in err.getvalue(), bool(err.getvalue())) == (True, bool(said))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": "soon"}, "--since: expected 2026-01-31T12:00, 30m, 24h or 7d, got 'soon'"),
        ({"until": "2026-13-01T00:00"}, "--until: expected"),
        ({"limit": 0}, "--limit: expected 1 to 1,000,000, got 0"),
        ({"source": "telepathy"}, "--source: expected api, console"),
    ],
)
def test_wrong_options_are_named(db: None, options: Any, message: str):
    with pytest.raises(CommandError, match=message.replace("(", r"\(")):
        run(**options)


def test_without_tables_the_next_step_is_told(tmp_path: Any):
    done = manage("audit_log", AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Run `manage.py init_db` first" in done.stderr
