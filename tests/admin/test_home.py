"""The first page: what it shows, to whom, and what it asks of the database."""

from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone

from ops.alerts.models import Alert
from ops.jobs.models import Job, JobState
from prompts import labels
from prompts.models import Prompt, User

from .conftest import text_of

PARTS = {"Database", "Jobs", "Vectors", "Disk", "Backups", "Embedder"}


def test_it_shows_how_afn_is_and_what_happened(admin: Client, aoi: User, make: Callable[..., Prompt]) -> None:
    prompt = make("writing/resume")
    make("old/one", status="archived")
    labels.move_label(prompt, "production", 1, actor=aoi)
    alert = {"metric": "parts_down", "severity": "critical", "value": 1, "worst": 1, "last": 1}
    Alert.objects.create(rule_name="A part is down", started_at=timezone.now(), **alert)
    Job.objects.create(kind="back_up", state=JobState.FAILED, cause="The disk is full")

    answer = admin.get("/admin/")
    page, shown = text_of(answer), answer.context

    assert {str(part.title) for part in shown["parts"]} >= PARTS
    assert "none was ever proved" in page
    troubled = [str(part.title) for part in shown["parts"] if part.state.status != "ok"]
    assert "Backups" in troubled
    assert f"To be looked at: {', '.join(troubled)}" in page
    registry = shown["registry"]
    assert (registry["prompts"], registry["versions"], registry["indexed"]) == (2, 2, 2)
    assert [number for _, number, _ in registry["statuses"]] == [1, 0, 1]
    for said in ("production", "– → v1", "A part is down", "The disk is full", "writing/resume"):
        assert said in page


def test_the_part_that_asks_again_is_the_same(admin: Client, make: Callable[..., Prompt]) -> None:
    make("writing/resume")
    answer = admin.get("/admin/home/")

    assert "writing/resume" in text_of(answer)
    assert "<html" not in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_session_that_is_over_loads_the_page_anew(db: None) -> None:
    answer = Client().get("/admin/home/")
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (204, "true", b"")


def test_each_piece_is_for_who_may_see_it(
    staff: Callable[..., Client], make: Callable[..., Prompt], aoi: User
) -> None:
    labels.move_label(make("secret/prompt"), "production", 1, actor=aoi)
    nobody = staff().get("/admin/home/")
    assert "secret/prompt" not in text_of(nobody)
    assert not {"health", "parts", "trends", "alerts", "moves", "failed_jobs", "registry"} & set(
        nobody.context.flatten()
    )


def test_an_empty_registry_says_what_to_do(admin: Client) -> None:
    assert "import_prompts" in text_of(admin.get("/admin/"))


def test_its_queries_do_not_grow_with_what_it_shows(
    admin: Client, make: Callable[..., Prompt], django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        make(f"writing/{number}")
    admin.get("/admin/home/")
    with django_assert_max_num_queries(22):
        admin.get("/admin/home/")
