"""Jobs by the API, in the console and by the command."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ops import jobs
from ops.jobs import running
from ops.jobs.models import Job, JobState
from prompts.models import ApiKey, User

from . import kinds  # noqa: F401 - registers them

pytestmark = pytest.mark.django_db
LIST = "/admin/ops/job/"


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "x")


@pytest.fixture
def console(aoi: User) -> Client:
    client = Client()
    client.force_login(aoi)
    return client


@pytest.fixture
def call(aoi: User) -> Callable[..., Any]:
    _, secret = ApiKey.issue(aoi, "tests", ["read", "write"])
    headers = {"Authorization": f"Bearer {secret}"}

    def send(method: str, path: str, **query: Any) -> Any:
        return getattr(Client(headers=headers), method)(f"/api/v1{path}", query or None)

    return send


def test_jobs_by_the_api(call: Callable[..., Any], aoi: User) -> None:
    failed, waiting = jobs.start("fail", {"why": "a fault"}, actor=aoi), jobs.start("note")
    running.run(failed.pk)
    page = call("get", "/jobs").json()
    assert [one["id"] for one in page["items"]] == [waiting.pk, failed.pk]
    assert page["total"] == 2
    assert [one["id"] for one in call("get", "/jobs", state="failed").json()["items"]] == [failed.pk]
    assert [one["id"] for one in call("get", "/jobs", kind="note").json()["items"]] == [waiting.pk]
    answer = call("get", "/jobs", state="asleep")
    assert answer.status_code == 422
    assert "waiting or running" in answer.json()["detail"][0]["msg"]
    one = call("get", f"/jobs/{failed.pk}").json()
    assert (one["cause"], one["arguments"], one["actor_name"]) == (
        "ValueError: a fault",
        {"why": "a fault"},
        "aoi",
    )
    assert "holder" not in one
    assert call("post", f"/jobs/{failed.pk}/retry").json()["state"] == "waiting"
    assert call("post", f"/jobs/{failed.pk}/cancel").json()["state"] == "cancelled"
    again = call("post", f"/jobs/{failed.pk}/cancel")
    assert again.status_code == 409
    assert again.json()["detail"][0]["msg"] == "Expected one that waits or runs, got one that is cancelled"
    assert call("post", f"/jobs/{waiting.pk}/retry").status_code == 409
    assert call("get", "/jobs/nothing").status_code == 404


def test_jobs_in_the_console(console: Client, aoi: User) -> None:
    script = "<script>alert(1)</script>"
    failed = jobs.start("fail", {"why": script}, actor=aoi)
    running.run(failed.pk)
    Job.objects.create(
        kind="note", state=JobState.RUNNING, done=40, total=100, message="pages", started_at=timezone.now(),
        cancel_requested_at=timezone.now(),
    )  # fmt: skip
    page = console.get(LIST).content.decode()
    assert script not in page
    assert 'max="100" value="40"' in page
    assert "40 / 100 pages · to be cancelled" in page
    assert "ValueError" in page
    assert "1 of 3" in page
    page = console.get(f"{LIST}{failed.pk}/change/").content.decode()
    assert "&quot;why&quot;: &quot;&lt;script&gt;" in page
    assert "Save" not in page
    for query in ("?state__exact=failed", "?kind=fail", f"?q={failed.pk}"):
        assert console.get(LIST + query).context["cl"].result_count == 1, query


def test_a_list_of_jobs_takes_as_many_statements_for_two_as_for_ten(
    console: Client, django_assert_max_num_queries: Any
) -> None:
    def look() -> int:
        with django_assert_max_num_queries(12) as queries:
            console.get(LIST)
        return len(queries)

    jobs.start("note")
    few = look()
    for _ in range(9):
        jobs.start("note")
    assert look() == few


def act(client: Client, action: str, *some: Job) -> str:
    form = {"action": action, "_selected_action": [job.pk for job in some]}
    return client.post(LIST, form, follow=True).content.decode()


def test_jobs_are_cancelled_and_tried_again_in_the_console(console: Client) -> None:
    waiting, failed = jobs.start("note"), jobs.start("fail", {"why": "x"})
    running.run(failed.pk)
    page = act(console, "retry_these", waiting, failed)
    assert "1 waiting again." in page
    assert "expected one that failed or was cancelled, got one that is waiting" in page
    assert "2 cancelled, or about to end." in act(console, "cancel_these", waiting, failed)
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}


def test_who_may_only_look_changes_nothing(make_staff: Callable[..., Client]) -> None:
    job = jobs.start("note")
    client = make_staff("view_job")
    assert "cancel_these" not in client.get(LIST).content.decode()
    act(client, "cancel_these", job)
    assert Job.objects.get().state == JobState.WAITING
    assert client.get(reverse("admin:ops_job_add")).status_code == 403


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_jobs_by_the_command() -> None:
    shown = json.loads(output("run", "note", "--arguments", '{"word": "x"}', "--json"))
    assert (shown["state"], shown["arguments"]) == ("succeeded", {"word": "x"})
    with pytest.raises(ValueError, match="a fault"):  # as of any function that a command calls
        output("run", "fail", "--arguments", '{"why": "a fault"}')
    assert "ValueError: a fault" in output()
    assert json.loads(output("list", "--state", "failed", "--json"))["kind"] == "fail"
    failed = Job.objects.get(kind="fail")
    assert "waiting" in output("retry", failed.pk)
    assert "cancelled" in output("cancel", failed.pk)
    assert '"why": "a fault"' in output("show", failed.pk)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "x"], "id: expected the id of a job, got 'x'"),
        (["list", "--state", "x"], "--state: expected waiting, running"),
        (["list", "--limit", "0"], "--limit: expected 1 to 10,000, got 0"),
        (["run", "x"], "kind: expected one of"),
        (["run", "note", "--arguments", "[1]"], r"--arguments: expected a JSON object, got \[1\]"),
        (["run", "note", "--arguments", "{"], "--arguments is not JSON"),
        (["run", "note", "--arguments", '{"words": 1}'], "words: expected an argument of note"),
    ],
)
def test_the_command_says_what_it_expected(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        output(*arguments)


def test_the_command_says_that_somebody_cancelled_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_: Any, **__: Any) -> None:
        raise jobs.JobCancelled

    monkeypatch.setattr("ops.jobs.inline.perform", cancelled)
    with pytest.raises(CommandError, match="Somebody has cancelled it"):
        output("run", "note")
    assert Job.objects.get().state == JobState.CANCELLED
