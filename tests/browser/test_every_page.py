"""What every page has to have, in both themes and both languages, on a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Tab

pytestmark = pytest.mark.browser

PAGES = [
    "",
    "search/",
    "tour/",
    "search/?q=resume",
    "search/?q=要約&mode=semantic&tag=要約&status=active",
    "prompts/prompt/",
    "prompts/prompt/add/",
    "prompts/prompt/import/",
    "prompts/prompt/export/",
    "prompts/promptversion/",
    "prompts/labelpolicy/",
    "prompts/labelpolicy/add/",
    "prompts/labelmove/",
    "prompts/evaluation/",
    "prompts/evaluationrun/",
    "prompts/evaluationrun/add/",
    "prompts/dataset/",
    "prompts/apikey/",
    "prompts/apikey/add/",
    "prompts/loginlock/",
    "prompts/user/",
    "auth/group/",
    "vectors/collection/",
    "vectors/collection/1/change/",
    "vectors/collection/1/items/",
    "vectors/collection/1/search/?q=resume",
    "vectors/collection/1/map/",
    "vectors/collection/1/quality/",
    "vectors/collection/1/duplicates/",
    "vectors/collection/1/migration/",
    "vectors/judgement/",
    "vectors/evaluationrun/",
    "ops/environment/",
    "ops/webhook/",
    "ops/webhook/add/",
    "ops/redis/",
    "ops/job/",
    "ops/job/start/",
    "ops/job/start/rebuild_index/",
    "ops/healthrecord/",
    "ops/healthrecord/part/database/",
    "ops/alert/",
    "ops/alertrule/",
    "ops/alertchannel/",
    "ops/alertsilence/",
    "ops/backupdrill/",
    "ops/backupdrill/drills/",
    "django_celery_beat/periodictask/",
    "ops/slowquery/",
    "ops/auditentry/",
]


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_everybody(open_tab: Callable[..., Tab], path: str) -> None:
    name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
    combinations: list[dict[str, Any]] = [
        {"theme": "light", "language": "en", "width": 1600},
        {"theme": "dark", "language": "ja", "width": 360},
    ]
    for combination in combinations:
        tab = open_tab(**combination)
        tab.open(f"/admin/{path}")
        tab.shoot(f"{name}-{combination['width']}-{combination['theme']}-{combination['language']}")
        tab.check()
