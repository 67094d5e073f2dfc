"""What every page has to have, in both themes and both languages, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .conftest import Console, Tab, new_tab
from .pages import PAGES

pytestmark = pytest.mark.browser


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
