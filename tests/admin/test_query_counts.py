"""How many queries each page of the console asks: so many, and no more of them where there are more rows."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.alerts.models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence
from ops.backups.models import BackupDrill
from ops.health import watching
from ops.health.models import HealthRecord
from ops.jobs.models import Job
from ops.slow_queries.models import SlowQuery
from ops.webhooks.models import Webhook
from prompts import indexing
from prompts.labels import move_label
from prompts.models import (
    ApiKey,
    Dataset,
    DatasetItem,
    Evaluation,
    EvaluationRun,
    LabelPolicy,
    Prompt,
    User,
)
from tests.browser.pages import PAGES
from vectors.models import Collection
from vectors.relevance.models import EvaluationRun as SearchRun
from vectors.relevance.models import Judgement

CONTAINS = [{"type": "contains"}]
OF_A_PROMPT = (
    "change/", "versions/", "labels/", "evaluations/", "split/", "relations/", "use/", "blame/", "diff/",
    "comparison/?from=1&to=2", "texts/?with={id}", "delete/",
)  # fmt: skip
# Each page is asked for twice: what is found once and kept does not count. Two of each are session and user.
EXPECTED = {
    "": 12,
    "search/": 7,
    "tour/": 3,
    "search/?q=resume": 7,
    "search/?q=要約&mode=semantic&tag=要約&status=active": 8,
    "prompts/prompt/": 8,
    "prompts/prompt/add/": 3,
    "prompts/prompt/import/": 2,
    "prompts/prompt/export/": 2,
    "prompts/promptversion/": 4,
    "prompts/labelpolicy/": 5,
    "prompts/labelpolicy/add/": 2,
    "prompts/labelmove/": 4,
    "prompts/evaluation/": 4,
    "prompts/evaluationrun/": 10,
    "prompts/evaluationrun/add/": 4,
    "prompts/dataset/": 6,
    "prompts/dataset/add/": 2,
    "prompts/apikey/": 4,
    "prompts/apikey/add/": 3,
    "prompts/loginlock/": 4,
    "prompts/user/": 6,
    "auth/group/": 5,
    "vectors/collection/": 5,
    "vectors/collection/1/change/": 7,
    "vectors/collection/1/items/": 4,
    "vectors/collection/1/search/?q=resume": 4,
    "vectors/collection/1/map/": 7,
    "vectors/collection/1/quality/": 8,
    "vectors/collection/1/duplicates/": 11,
    "vectors/collection/1/migration/": 7,
    "vectors/judgement/": 6,
    "vectors/evaluationrun/": 6,
    "ops/environment/": 2,
    "ops/webhook/": 4,
    "ops/webhook/add/": 2,
    "ops/redis/": 2,
    "ops/job/": 5,
    "ops/job/start/": 2,
    "ops/job/start/rebuild_index/": 3,
    "ops/healthrecord/": 11,
    "ops/healthrecord/part/database/": 7,
    "ops/alert/": 6,
    "ops/alertrule/": 4,
    "ops/alertchannel/": 4,
    "ops/alertsilence/": 4,
    "ops/backupdrill/": 7,
    "ops/backupdrill/drills/": 4,
    "django_celery_beat/periodictask/": 5,
    "ops/slowquery/": 6,
    "ops/auditentry/": 3,
    "prompts/prompt/ID/change/": 7,
    "prompts/prompt/ID/versions/": 8,
    "prompts/prompt/ID/labels/": 17,
    "prompts/prompt/ID/evaluations/": 11,
    "prompts/prompt/ID/split/": 8,
    "prompts/prompt/ID/relations/": 12,
    "prompts/prompt/ID/use/": 7,
    "prompts/prompt/ID/blame/": 9,
    "prompts/prompt/ID/diff/": 7,
    "prompts/prompt/ID/comparison/?from=1&to=2": 10,
    "prompts/prompt/ID/texts/?with=ID": 6,
    "prompts/prompt/ID/delete/": 4,
}


def add_one_of_each(user: User, number: int) -> None:
    now = timezone.now()
    name = f"folder-{number}/prompt"
    prompt = Prompt(
        user=user,
        name=name,
        title=name,
        content=f"Rewrite {number} {{{{a}}}}",
        tags=[f"t{number}"],
        language="en",
    )
    prompt.save(index=False)
    prompt.content += " again"
    prompt.save(message="Again", index=False)
    indexing.index([prompt])
    move_label(prompt, "production", 1, actor=user)
    move_label(prompt, f"beta-{number}", 2, actor=user)
    old, new = prompt.versions.order_by("version")
    dataset = Dataset.objects.create(name=f"set-{number}")
    item = DatasetItem.objects.create(dataset=dataset, key="a", variables={"a": "b"}, expected="c")
    for version in (old, new):
        run = EvaluationRun.objects.create(
            prompt=prompt,
            version=version,
            dataset=dataset,
            user=user,
            total=1,
            metrics=[{"type": "contains"}],
        )
        Evaluation.objects.create(prompt=prompt, version=version, score=0.5, item=item.key, run=run)
    ApiKey.issue(user, f"key {number}", ["read"])
    User.objects.create_user(f"user-{number}", f"{number}@example.com", "correct horse", is_staff=True)
    LabelPolicy.objects.create(name=f"policy-{number}")
    collection = Collection.objects.get(name=indexing.COLLECTION)
    Judgement.objects.create(
        collection=collection,
        query=f"q{number}",
        query_hash=str(number),
        key=prompt.pk,
        grade=2,
        source="click",
    )
    SearchRun.objects.create(collection=collection, mode="hybrid", source="judgements", n=1)
    rule = AlertRule.objects.create(
        name=f"rule {number}", metric="database.read", comparison="above", threshold=1, clear=0.5
    )
    alert = Alert.objects.create(
        rule=rule, rule_name=rule.name, metric=rule.metric, severity="warning", started_at=now,
        value=2, worst=2, last=2,
    )  # fmt: skip
    channel = AlertChannel.objects.create(name=f"channel {number}", kind="slack")
    AlertNotification.objects.create(alert=alert, channel=channel, event="raised", next_attempt_at=now)
    AlertSilence.objects.create(rule=rule, starts_at=now, until=now + timedelta(hours=1), reason="quiet")
    BackupDrill.objects.create(backup=f"b{number}.afnbackup", sha256="0" * 64, ok=True)
    HealthRecord.objects.create(part="database", status="ok", at=now)
    Job.objects.create(kind="embed_prompts", arguments={}, actor=user, state="succeeded", finished_at=now)
    SlowQuery.objects.create(
        created_at=now, fingerprint=str(number), sql="SELECT ?", seconds=2, database="default"
    )
    Webhook.objects.create(name=f"hook {number}", shown_url="https://example.com", created_by=user)


def pages(prompt: Prompt) -> list[str]:
    own = [f"prompts/prompt/{prompt.pk}/{page}".format(id=prompt.pk) for page in OF_A_PROMPT]
    return [*PAGES, *own]


def look(client: Client, prompt: Prompt) -> dict[str, int]:
    found = {}
    for path in pages(prompt):
        client.get(f"/admin/{path}")  # what is found out once and kept
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/admin/{path}")
        assert answer.status_code == 200, path
        found[path.replace(prompt.pk, "ID")] = len(queries)
    return found


@pytest.mark.django_db
def test_more_rows_take_no_more_queries(
    admin: Client, aoi: User, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("AFN_BACKUPS_DIR", "AFN_ENVIRONMENTS_DIR", "AFN_RUN_DIR"):
        setattr(settings, folder, tmp_path / folder)
    health = watching.look_now()  # which is looked after by time, not by pages
    monkeypatch.setattr(watching, "current", lambda: health)
    monkeypatch.setattr(watching, "recent", lambda _seconds: health)
    add_one_of_each(aoi, 0)
    prompt = Prompt.objects.get()
    few = look(admin, prompt)
    for number in range(1, 4):
        add_one_of_each(aoi, number)
    many = look(admin, prompt)

    assert {path: (few[path], many[path]) for path in few if few[path] != many[path]} == {}
    assert many == EXPECTED, json.dumps(many, ensure_ascii=False, indent=4)
