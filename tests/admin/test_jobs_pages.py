"""Jobs in the console: how far they are while one looks, what came of them, and starting one by hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from ops.jobs import offers, registry, start, words
from ops.jobs.models import Job, JobState
from prompts.models import User

from .conftest import text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/ops/job/"


def running(**values: Any) -> Job:
    now = timezone.now()
    fields = {"kind": "back_up", "state": JobState.RUNNING, "started_at": now, "done": 40, "total": 100,
              "message": "rows coded"}  # fmt: skip
    return Job.objects.create(**fields | values)


def page_of(client: Client, job: Job) -> str:
    return text_of(client.get(f"{LIST}{job.pk}/change/"))


def test_a_list_asks_for_its_open_jobs_and_for_no_others(admin: Client) -> None:
    going, over = running(), running(state=JobState.SUCCEEDED)
    page = text_of(admin.get(LIST))
    assert f'hx-get="/admin/ops/job/live/?id={going.pk}"' in page
    assert f'id="job-{over.pk}-state"' in page

    live = admin.get(LIST + "live/", {"id": [going.pk, "gone"]})
    assert f'hx-get="/admin/ops/job/live/?id={going.pk}"' in text_of(live)
    assert "40 / 100 rows coded" in text_of(live)
    Job.objects.update(state=JobState.SUCCEEDED)
    over_now = text_of(admin.get(LIST + "live/", {"id": going.pk}))
    assert "hx-get" not in over_now
    assert "succeeded" in over_now


def test_the_chips_count_what_wants_attention(admin: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        running(state=JobState.FAILED)
    running()
    with django_assert_max_num_queries(12):
        page = text_of(admin.get(LIST + "?state__exact=failed"))
    assert '<a href="?state__exact=failed" aria-current="true">Failed <b>3</b></a>' in page
    assert "Running <b>1</b>" in page


def test_a_job_that_goes_on_shows_its_bar_and_can_be_cancelled(admin: Client) -> None:
    job = running(message="Packing", done=1_048_576, total=2_097_152)
    page = page_of(admin, job)
    assert f'hx-get="/admin/ops/job/{job.pk}/live/"' in page
    assert "1.0 MB / 2.0 MB Packing" in page
    assert "50 %" in page
    answer = admin.post(f"{LIST}{job.pk}/cancel/", follow=True)
    assert "It is cancelled, or about to end." in text_of(answer)
    job.refresh_from_db()
    assert job.cancel_requested_at
    assert "to be cancelled" in page_of(admin, job)
    assert f"{job.pk}/cancel/" not in page_of(admin, job)


def test_a_failed_job_says_what_to_do_and_is_tried_again(admin: Client, aoi: User) -> None:
    job = start("rebuild_index", {"collection": "notes"}, actor=aoi)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.FAILED, cause="EmbedderError: got status 401", attempts=3, finished_at=timezone.now()
    )
    page = page_of(admin, job)
    assert "The embedding service failed." in page
    assert "<dt>Collection</dt><dd>notes</dd>" in page
    assert "<code>job.started</code>" in page
    assert "/live/" not in page
    admin.post(f"{LIST}{job.pk}/retry/")
    job.refresh_from_db()
    assert job.state == JobState.WAITING
    refused = text_of(admin.post(f"{LIST}{job.pk}/retry/", follow=True))
    assert "expected one that failed or was cancelled" in refused


def test_a_result_is_shown_as_people_read_it(admin: Client) -> None:
    result = {
        "path": "/backups/prod-20260101T020000Z.afnbackup", "bytes": 3_145_728, "encrypted": True,
        "tables": {"prompts": 1_234, "<b>": 1}, "seconds": 2.5, "steps": {"copy": 1.25},
        "problems": ["one", "two"], "nothing": None,
    }  # fmt: skip
    page = page_of(admin, running(state=JobState.SUCCEEDED, result=result))
    assert "<dt>Size</dt><dd>3.0 MB</dd>" in page
    assert "<dt>Encrypted</dt><dd>yes</dd>" in page
    assert '<th scope="row">prompts</th><td class="afn-number-cell">1,234</td>' in page
    assert "&lt;b&gt;" in page
    assert "<b></th>" not in page
    assert "<dt>Took</dt><dd>2.5 s</dd>" in page
    assert "<li>two</li>" in page
    assert "/admin/ops/backupdrill/backup/prod-20260101T020000Z.afnbackup/" in page


def test_one_job_takes_few_statements(admin: Client, django_assert_max_num_queries: Any) -> None:
    job = running()
    with django_assert_max_num_queries(8):
        page_of(admin, job)
    with django_assert_max_num_queries(6):
        assert admin.get(f"{LIST}{job.pk}/live/").status_code == 200


def test_what_is_offered_is_there_and_has_a_title() -> None:
    known = {kind.name for kind in registry.kinds() if kind.function.__module__.startswith("ops.")}
    listed = [one.kind for one in offers._OFFERS]
    assert len(listed) == len(set(listed))
    assert set(listed) == known
    assert {registry.title_of(kind) for kind in known} <= words._TITLES


def test_a_job_is_started_by_its_form(admin: Client, make: Callable[..., Any]) -> None:
    make("writing/resume")  # and with it the collection `prompts`
    where = LIST + "start/rebuild_index/"
    assert '<option value="prompts">' in text_of(admin.get(where))
    wrong = text_of(admin.post(where, {"collection": "prompts", "lists": "many"}))
    assert "Enter a whole number." in wrong
    assert not Job.objects.exists()
    answer = admin.post(where, {"collection": "prompts", "lists": "8"}, follow=True)
    job = Job.objects.get()
    assert job.arguments == {"collection": "prompts", "lists": 8, "only_if_due": False}
    assert job.actor_name == "aoi"
    assert "Build an index: prompts is on its way." in text_of(answer)
    assert f'href="/admin/ops/job/{job.pk}/change/">See the job</a>' in text_of(answer)
    again = text_of(admin.post(where, {"collection": "prompts"}, follow=True))
    assert "is under way already" in again
    assert Job.objects.count() == 1


def test_what_deletes_for_good_asks_for_the_name_of_the_environment(admin: Client) -> None:
    where = LIST + "start/empty_trash/"
    assert "This cannot be undone." in text_of(admin.get(where))
    assert "Nothing was started." in text_of(admin.post(where, {"days": "0", "typed_name": "wrong"}))
    assert not Job.objects.exists()
    name = admin.get(where).context["form"].environment
    assert admin.post(where, {"days": "0", "typed_name": name}).status_code == 302
    assert Job.objects.get().arguments == {"days": 0.0}
    assert "days: expected what empty_trash takes" in text_of(
        admin.post(where, {"days": "-1", "typed_name": name})
    )


def test_who_may_start_what(staff: Callable[..., Client]) -> None:
    client = staff("view_job")
    assert client.get(LIST + "start/").status_code == 403
    assert client.post(LIST + "start/back_up/").status_code == 403
    assert "Start a job" not in text_of(client.get(LIST))
    ben = User.objects.get(username="ben")
    ben.user_permissions.add(Permission.objects.get(codename="change_job"))
    page = text_of(client.get(LIST + "start/"))
    assert "Back up" in page
    for kind in ("rebuild_index", "empty_trash", "nothing"):
        assert kind not in page
        assert client.post(LIST + f"start/{kind}/").status_code == 404
    assert client.post(LIST + "start/back_up/", {"next": "https://evil.example/admin/"}).url.startswith(LIST)
    job = running()
    ben.user_permissions.set(Permission.objects.filter(codename="view_job"))
    for action in ("cancel", "retry"):
        assert client.post(f"{LIST}{job.pk}/{action}/").status_code == 403
        assert client.get(f"{LIST}{job.pk}/{action}/").status_code == 403
    ben.user_permissions.clear()
    assert client.get(f"{LIST}{job.pk}/live/").status_code == 403
    assert Client().get(f"{LIST}{job.pk}/live/").status_code == 302


def test_a_part_of_a_page_whose_session_is_over_has_the_page_read_anew() -> None:
    answer = Client().get(LIST + "live/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_an_empty_list_says_what_comes_there(admin: Client) -> None:
    assert "There are no jobs yet" in text_of(admin.get(LIST))
    assert "There are no jobs yet" not in text_of(admin.get(LIST + "?kind=back_up"))


def test_a_job_that_is_gone(admin: Client) -> None:
    running(finished_at=timezone.now() - timedelta(days=1))
    assert admin.get(LIST + "nothing/change/").status_code == 302
    assert admin.get(LIST + "nothing/live/").status_code == 404
