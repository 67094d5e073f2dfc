"""A real browser on the real pages: what scripts do, and that nothing is asked of any other host."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prompts.models import Prompt, User

from .conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page whose errors and requests to other hosts fail the test."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing: install it with `apt install chromium`"
        if os.environ.get("AFN_REQUIRE_SERVERS") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    # Playwright runs an event loop in this thread, where Django would refuse to use the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=live_server.url, viewport={"width": 360, "height": 740})
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda asked: None if _is_own(asked.url, live_server.url) else wrong.append(asked.url)
        )
        page.on(
            "response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None
        )
        yield page
        browser.close()
    assert wrong == []


def _is_own(url: str, server: str) -> bool:
    return url.startswith((server + "/", "data:", "blob:"))


def test_one_logs_in_searches_and_compares(page: Any, make: Callable[..., Prompt], aoi: User):
    prompt = make("writing/resume", "次の履歴書を要約してください。\n", title="履歴書の要約", language="ja")
    prompt.content = "次の履歴書を三行で要約してください。\n<script>document.title = 'broken'</script>\n"
    prompt.save(index=False)
    make("writing/other", "Rewrite the letter.")

    page.goto("/admin/search/")
    page.get_by_label("Username or e-mail").fill("aoi@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    box = page.get_by_role("searchbox", name="Search prompts")
    page.wait_for_function("document.activeElement.name === 'q'", timeout=30_000)
    page.wait_for_load_state()  # the browser may focus the box before the page's scripts listen
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("要約")
    assert box.input_value() == "要約"
    page.keyboard.press("Enter")
    first = page.locator(".afn-hits li").first
    first.wait_for()
    assert first.locator("h2").inner_text() == "履歴書の要約"
    assert first.locator("mark").all_inner_texts() == ["要約"]

    page.goto(f"/admin/prompts/prompt/{prompt.pk}/diff/")
    assert page.locator(".afn-cell ins").first.inner_text() == "三行で"
    assert page.title().startswith("writing/resume")
    page.get_by_label("From").select_option("2")
    page.get_by_role("heading", name="No difference").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_browser_that_saves_unchanged_text_makes_no_version(
    page: Any, make: Callable[..., Prompt], aoi: User
):
    prompt = make("writing/resume", "\n One\n\nTwo \n")

    page.goto(f"/admin/prompts/prompt/{prompt.pk}/change/")
    page.get_by_label("Username or e-mail").fill("aoi")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Title").fill("Other")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()

    prompt.refresh_from_db()
    assert (prompt.title, prompt.version, prompt.content) == ("Other", 1, "\n One\n\nTwo \n")
