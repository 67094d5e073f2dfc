"""Who is told what: the page, the command, the console."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.health import overview, parts, timeline, viewers
from ops.health.models import HealthRecord
from ops.health.probing import Part
from ops.health.states import Finding, Status
from ops.health.watching import Watch
from prompts.models import ApiKey, User

from .conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "canary-metrics-token"


@pytest.fixture
def found(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    """What is found, to be changed."""
    made = {
        "database": Finding(Status.OK, "read in 1 ms"),
        "backups": Finding(Status.DEGRADED, "there is none"),
    }
    monkeypatch.setattr(
        parts, "all_parts", lambda: [Part(name, lambda name=name: made[name]) for name in made]
    )
    return made


def test_everybody_is_told_names_and_statuses_and_nothing_else(
    client: Client, found: dict[str, Finding], clock: Clock
) -> None:
    for query in ("", "?detail=1"):
        response = client.get(f"/health/ready{query}")
        assert response.status_code == 200
        assert response.json() == {
            "status": "degraded", "parts": {"database": "ok", "backups": "degraded"}, "at": clock.now,
        }  # fmt: skip
        assert "no-store" in response["Cache-Control"]


def test_it_is_red_where_a_part_is_down_that_requests_need(client: Client, found: dict[str, Finding]) -> None:
    found["database"] = Finding(Status.DOWN, "gone")
    assert client.get("/health/ready").status_code == 503
    assert client.head("/health/ready").status_code == 503
    assert client.post("/health/ready").status_code == 405


def grant(user: User) -> User:
    user.user_permissions.add(Permission.objects.get(codename="view_healthrecord"))
    return User.objects.get(pk=user.pk)


def sees(client: Client, **headers: str) -> bool:
    body = client.get("/health/ready?detail=1", headers=headers).json()
    return isinstance(body["parts"]["database"], dict)


def test_figures_are_for_tokens_keys_and_people_with_the_permission(
    client: Client, found: dict[str, Finding], settings: Settings
) -> None:
    user = User.objects.create_user("aoi", "aoi@example.org", "canary-password")
    _, secret = ApiKey.issue(user, "monitor", ["read"])
    settings.AFN_METRICS_TOKEN = TOKEN
    assert sees(client, Authorization=f"Bearer {TOKEN}")
    assert not sees(client, Authorization="Bearer wrong")
    assert not sees(client, Authorization=f"Bearer {secret}")
    client.force_login(user)
    assert not sees(client)
    user = grant(user)
    assert sees(client, Authorization=f"Bearer {secret}")
    assert not sees(client)  # no staff
    User.objects.update(is_staff=True)
    assert sees(client)
    body = client.get("/health/ready?detail=1").json()
    assert set(body["parts"]["database"]) == {"status", "seconds", "since", "detail", "value"}


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via", "CF-Connecting-IP"]
)
def test_who_comes_by_a_proxy_is_not_on_this_machine(settings: Settings, header: str) -> None:
    settings.AFN_TRUST_LOOPBACK = True
    requests = RequestFactory()
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert viewers.is_trusted_here(requests.get("/metrics", REMOTE_ADDR=address))
    for address in ("10.0.0.1", "127.0.0.1.example.org", ""):
        assert not viewers.is_trusted_here(requests.get("/metrics", REMOTE_ADDR=address))
    asked = requests.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={header: "127.0.0.1"})
    assert not viewers.is_trusted_here(asked)
    settings.AFN_TRUST_LOOPBACK = False
    assert not viewers.is_trusted_here(requests.get("/metrics", REMOTE_ADDR="127.0.0.1"))


@pytest.mark.parametrize(("status", "code"), [(Status.OK, 0), (Status.DEGRADED, 1), (Status.DOWN, 2)])
def test_the_command_says_it_by_its_exit_code(found: dict[str, Finding], status: Status, code: int) -> None:
    found["database"], found["backups"] = Finding(status, "as told"), Finding(Status.OK)
    for arguments in ((), ("--json",)):
        output = StringIO()
        try:
            call_command("health", *arguments, stdout=output)
            ended = 0
        except SystemExit as end:
            ended = int(str(end.code))
        assert ended == code
        assert "as told" in output.getvalue()
    assert json.loads(output.getvalue())["parts"]["database"]["status"] == status


def test_the_console_shows_parts_with_their_limits_and_the_last_day(
    client: Client, found: dict[str, Finding], clock: Clock
) -> None:
    from datetime import UTC, datetime

    user = User.objects.create_superuser("aoi", "aoi@example.org", "canary-password")
    client.force_login(user)
    page = client.get("/admin/ops/healthrecord/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "something is not as it should be" in text
    assert "there is none" in text
    assert "age of the newest backup" in text
    assert "at most 26 h" in text
    now = datetime.fromtimestamp(clock.now, UTC)
    [pieces] = {len(card.pieces) for card in overview.context(now)["cards"]}
    assert pieces == 48
    assert HealthRecord.objects.count() == 2


def test_a_bar_shows_the_worst_of_each_half_hour() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    start = now - timedelta(hours=24)
    hour = timedelta(hours=1)
    records = [("down", start + hour), ("ok", start + hour + timedelta(minutes=5))]
    shown = [one.status for one in timeline.pieces(records, "degraded", start, timeline.DAY)]
    assert shown[:4] == ["degraded", "degraded", "down", "ok"]
    assert set(shown[4:]) == {"ok"}
    assert [one.status for one in timeline.pieces([], "", start, timeline.DAY)] == [""] * 48


def test_shares_are_of_the_time_of_which_something_is_known() -> None:
    from datetime import UTC, datetime, timedelta

    now, hour = datetime(2026, 11, 26, 12, tzinfo=UTC), timedelta(hours=1)
    start = now - 24 * hour
    records = [("down", now - 4 * hour), ("ok", now - 3 * hour)]
    shares = {status: share for status, _, share in timeline.shares(records, "", start, now)}
    assert shares == {"down": 25.0, "ok": 75.0}
    assert timeline.shares([], "", start, now) == []


def test_the_page_of_a_part_shows_its_changes_its_figure_and_its_limit(
    client: Client, found: dict[str, Finding], clock: Clock
) -> None:
    from datetime import UTC, datetime, timedelta

    client.force_login(User.objects.create_superuser("aoi", "aoi@example.org", "canary-password"))
    now = datetime.fromtimestamp(clock.now, UTC)
    for hours, status, value in ((50, "ok", 3_600), (30, "degraded", 100_000), (29, "degraded", 110_000)):
        at = now - timedelta(hours=hours)
        HealthRecord.objects.create(part="backups", status=status, value=value, at=at)
    context = overview.of_part("backups", timeline.span_of("7d"), now)
    assert [(one.status, one.until is None) for one in context["changes"]] == [
        ("degraded", True),
        ("ok", False),
    ]
    chart = timeline.figure_chart("backups", timeline.span_of("7d"), now)
    assert chart is not None
    assert [point.y for point in chart.series[1].points] == [26.0, 26.0]
    HealthRecord.objects.create(part="backups", status="down", detail="<b>", at=timezone.now())
    page = client.get("/admin/ops/healthrecord/part/backups/?range=30d")
    assert page.status_code == 200
    assert "&lt;b&gt;" in page.content.decode()
    assert client.get("/admin/ops/healthrecord/part/nothing/").status_code == 404
    part = client.get("/admin/ops/healthrecord/part/backups/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()


def test_a_detail_is_english_for_programs_and_translated_for_readers() -> None:
    from django.utils.translation import override

    from ops import said
    from ops.health.states import State, Status

    detail = said.join([said.say("%(waiting)s prompts wait for it", waiting="3"), said.say("Home")])
    state = State("embedder", Status.OK, 0.1, 1, 2, detail, 3.0)
    with override("ja"):
        again = State.unpacked(json.loads(json.dumps(state.packed())))
        assert again == state
        assert again.as_json()["detail"] == "3 prompts wait for it; Home"
        assert again.shown.endswith("ホーム")
    assert State.unpacked({**state.packed(), "detail": "plain"}).shown == "plain"


def test_the_page_is_for_who_has_the_permission(client: Client, found: dict[str, Finding], db: Any) -> None:
    user = User.objects.create_user("aoi", "aoi@example.org", "canary-password", is_staff=True)
    client.force_login(user)
    assert client.get("/admin/ops/healthrecord/").status_code == 403
    grant(user)
    assert client.get("/admin/ops/healthrecord/").status_code == 200
