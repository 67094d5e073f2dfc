"""The pages of alerts, health, slow queries and keys that belong to one thing: who may, and what they do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ops.alerts.models import Alert, AlertRule, AlertSilence
from ops.slow_queries.models import SlowQuery
from prompts.models import ApiKey, Prompt, User

from .conftest import text_of

Staff = Callable[..., Client]


@pytest.fixture
def alert(db: None) -> Alert:
    rule = AlertRule.objects.create(
        name="Redis is slow <b>", metric="redis_answer_ms", threshold=100, clear=80
    )
    return Alert.objects.create(
        rule=rule, rule_name=rule.name, metric=rule.metric, severity="critical",
        started_at=timezone.now() - timedelta(minutes=5), value=120, worst=150, last=130,
    )  # fmt: skip


def test_open_alerts_come_first_with_figure_and_limit(
    admin: Client, alert: Alert, django_assert_num_queries: Any
) -> None:
    over = {"metric": "connections", "severity": "info", "value": 1, "worst": 1, "last": 1}
    Alert.objects.create(rule_name="over", started_at=timezone.now(), cleared_at=timezone.now(), **over)
    # Session, user, open alerts, silences; then those of Django's list: count and page.
    with django_assert_num_queries(6):
        answer = admin.get(reverse("admin:ops_alert_changelist"))
    [card] = answer.context["open_alerts"]
    assert (card.now, card.limit, card.worst) == ("130 ms", "above 100 ms", "150 ms")
    assert "Redis is slow &lt;b&gt;" in text_of(answer)


def test_an_alert_is_acknowledged_and_its_rule_silenced_where_it_stands(admin: Client, alert: Alert) -> None:
    page = reverse("admin:ops_alert_acknowledge", args=[alert.pk])
    assert "Acknowledged" in text_of(admin.post(page, follow=True))
    assert "already" in text_of(admin.post(page, follow=True))
    silence = reverse("admin:ops_alert_silence", args=[alert.pk])
    for wrong in ({"hours": "9000", "reason": "x"}, {"hours": "8", "reason": " "}, {}):
        admin.post(silence, wrong)
    assert not AlertSilence.objects.exists()
    done = admin.post(silence, {"hours": "8", "reason": "We are at it"}, follow=True)
    made = AlertSilence.objects.get()
    assert made.rule == alert.rule
    assert timedelta(hours=7.9) < made.until - timezone.now() <= timedelta(hours=8)
    assert "is silent until" in text_of(done)
    admin.post(
        reverse("admin:ops_alertsilence_changelist"), {"action": "end_now", "_selected_action": [made.pk]}
    )
    made.refresh_from_db()
    assert made.until <= timezone.now()


def test_a_page_says_a_state_in_words(admin: Client, aoi: User, alert: Alert) -> None:
    key, _secret = ApiKey.issue(aoi, "shop", ["read"])
    for name, pk in (("ops_alert", alert.pk), ("prompts_apikey", key.pk)):
        assert "(&#x27;" not in text_of(admin.get(reverse(f"admin:{name}_change", args=[pk])))


def test_what_is_not_there_is_said(admin: Client) -> None:
    for name in (
        "ops_alert_acknowledge",
        "ops_alert_silence",
        "prompts_apikey_rotate",
        "prompts_apikey_revoke",
    ):
        assert admin.post(reverse(f"admin:{name}", args=["0" * 32])).status_code == 404


def test_acting_on_an_alert_takes_permissions(staff: Staff, alert: Alert) -> None:
    client = staff("view_alert", "view_healthrecord")
    acknowledge, silence = (
        reverse(f"admin:ops_alert_{name}", args=[alert.pk]) for name in ("acknowledge", "silence")
    )
    for page in (acknowledge, silence):
        assert client.post(page, {"hours": "8", "reason": "x"}).status_code == 403
    User.objects.get(username="ben").user_permissions.add(*_permissions("change_alert"))
    assert client.get(acknowledge).status_code == 405
    assert client.post(silence, {"hours": "8", "reason": "x"}).status_code == 403  # that makes a silence
    assert client.post(acknowledge).status_code == 302
    alert.refresh_from_db()
    assert alert.acknowledged_by == "ben"


def test_pages_of_one_thing_are_for_who_may_see_it(
    staff: Staff, aoi: User, make: Callable[..., Prompt]
) -> None:
    SlowQuery.objects.create(
        fingerprint="f", sql="SELECT 1", seconds=2, database="default", created_at=timezone.now()
    )
    key, _secret = ApiKey.issue(aoi, "shop", ["read"])
    pages = [
        reverse("admin:ops_healthrecord_part", args=["database"]),
        reverse("admin:ops_slowquery_statement", args=["f"]),
        reverse("admin:prompts_apikey_rotate", args=[key.pk]),
    ]
    nobody = staff()
    assert [nobody.get(page).status_code for page in pages] == [403, 403, 403]
    for page in pages:
        assert Client().get(page)["Location"].startswith("/admin/login/")
        assert Client().get(page, headers={"HX-Request": "true"}).status_code in (204, 302)
    User.objects.get(username="ben").user_permissions.set(
        _permissions("view_healthrecord", "view_slowquery", "view_apikey", "change_apikey")
    )
    may = [nobody.get(page).status_code for page in pages]
    assert may == [200, 200, 404]  # whose key it is not finds none


def _permissions(*names: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename__in=names)
