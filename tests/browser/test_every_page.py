"""What every page has to have, in both themes and both languages, on a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Tab

pytestmark = pytest.mark.browser

PAGES = [
    "",
    "search/",
    "search/?q=resume",
    "prompts/prompt/",
    "prompts/prompt/add/",
    "prompts/promptversion/",
    "prompts/labelpolicy/",
    "prompts/labelmove/",
    "prompts/evaluation/",
    "prompts/apikey/",
    "prompts/apikey/add/",
    "prompts/loginlock/",
    "prompts/user/",
    "auth/group/",
    "vectors/collection/",
    "vectors/judgement/",
    "vectors/evaluationrun/",
    "ops/environment/",
    "ops/webhook/",
    "ops/webhook/add/",
    "ops/job/",
    "ops/healthrecord/",
    "ops/alert/",
    "ops/alertrule/",
    "ops/alertchannel/",
    "ops/alertsilence/",
    "ops/backupdrill/",
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
