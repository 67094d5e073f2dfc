"""What every page has to have, in both themes and both languages, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .conftest import Console, Tab, new_tab

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


@pytest.fixture(scope="module")
def tabs(chromium: Browser, console: Console) -> Iterator[dict[str, Tab]]:
    """A desk and a phone for all pages: what the pages share is loaded once, as people have it."""
    found = {
        "1600-light-en": new_tab(chromium, console, theme="light", language="en", width=1600),
        "360-dark-ja": new_tab(chromium, console, theme="dark", language="ja", width=360),
    }
    yield found
    for tab in found.values():
        tab.page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_everybody(tabs: dict[str, Tab], path: str) -> None:
    name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
    for kind, tab in tabs.items():
        tab.wrong.clear()
        tab.open(f"/admin/{path}")
        tab.shoot(f"{name}-{kind}")
        tab.check()
        tab.page.goto("about:blank")  # what the page still asks for is its own
        assert tab.wrong == []
