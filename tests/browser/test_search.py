"""Searching as people do: by keys, by filters, by what is like a result; and judging what was found."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import Tab

pytestmark = pytest.mark.browser
FOCUSED = "document.activeElement.textContent.trim()"


def titles(page: Page) -> list[str]:
    return page.locator(".afn-hit h2").all_inner_texts()


def stays(page: Page) -> Callable[[], bool]:
    """Whether the page is still the one that it was when this was called: nothing has loaded it anew."""
    page.evaluate("window.same = true")
    return lambda: bool(page.evaluate("window.same === true"))


def test_one_searches_opens_and_judges_by_keys(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(width=1024)
    page = tab.open("/admin/search/")
    same = stays(page)
    box = page.get_by_role("searchbox", name="Search prompts")
    page.wait_for_function("document.activeElement.name === 'q'")
    page.evaluate("document.activeElement.blur()")

    page.keyboard.press("/")
    page.keyboard.type("要約")
    page.keyboard.press("Enter")
    hits = page.locator(".afn-hit")
    expect(hits.first).to_contain_text("要約")
    assert "要約" in hits.first.locator("mark").all_inner_texts()
    assert same()
    expect(page).to_have_url(re.compile(r"\?q=%E8%A6%81%E7%B4%84$"))
    expect(page).to_have_title(re.compile("^ ?要約 · Search"))
    expect(page.get_by_role("status")).to_have_text("10 results")
    expect(box).to_have_value("要約")

    found = titles(page)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == found[0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == found[1]
    # An input method has the keys for itself while one composes.
    for composing in ("isComposing: true", "keyCode: 229"):
        page.evaluate(
            f"document.activeElement.dispatchEvent("
            f"new KeyboardEvent('keydown', {{key: 'ArrowDown', bubbles: true, {composing}}}))"
        )
    assert page.evaluate(FOCUSED) == found[1]
    good = hits.nth(1).get_by_role("button", name="Good")
    page.keyboard.press("1")
    expect(good).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(FOCUSED) == found[1]
    tab.shoot("search-judged-1024-light-en")
    tab.check()
    page.reload()
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    expect(good).to_have_attribute("aria-pressed", "true")
    good.focus()
    page.keyboard.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "false")
    expect(good).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/prompts/prompt/*/change/**")


def test_filters_modes_and_likeness_change_the_results_in_place(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(width=360)
    tab.console.call("PUT", "/prompts/writing/resume-rewriter/labels/served", {"version": 1})
    page = tab.open("/admin/search/")
    same = stays(page)
    page.get_by_role("link", name="rewrite a resume").click()
    hits = page.locator(".afn-hit")
    expect(hits).to_have_count(10)
    expect(page.get_by_role("searchbox")).to_have_value("rewrite a resume")

    page.get_by_text("By words", exact=True).click()
    expect(page.locator(".afn-plan")).to_contain_text("plan keyword")
    expect(page).to_have_url(re.compile("mode=keyword"))
    page.get_by_role("radio", name="By words").press("ArrowLeft")
    expect(page.locator(".afn-plan")).to_contain_text("plan exact")

    page.locator("summary", has_text="Tag").click()
    narrow = page.get_by_placeholder("Type or choose")
    expect(narrow).to_be_focused()
    page.keyboard.type("care")
    expect(page.locator(".afn-picker li:visible")).to_have_text(["career"])
    tab.shoot("search-picker-360-light-en")
    tab.check()
    page.locator(".afn-picker").get_by_role("link", name="career").click()
    chip = page.get_by_role("link", name=re.compile("^Tag: career"))
    expect(chip).to_be_visible()
    expect(page).to_have_url(re.compile("tag=career"))
    page.locator("summary", has_text="Score").click()
    page.get_by_placeholder("At least, 0 to 1").fill("0.99")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(page).to_have_url(re.compile("score=0.99"))
    tab.shoot("search-nothing-360-light-en")
    tab.check()
    page.get_by_role("link", name="without Score: ≥ 0.99").click()
    expect(hits.first).to_be_visible()
    chip.click()
    expect(chip).to_have_count(0)
    expect(page).not_to_have_url(re.compile("tag="))

    page.locator("summary", has_text="Label").click()
    page.locator(".afn-picker").get_by_role("link", name="served", exact=True).click()
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("served v1")
    tab.shoot("search-label-360-light-en")
    page.get_by_role("link", name=re.compile("^Label: served")).click()
    expect(hits).to_have_count(10)

    first = titles(page)[0]
    hits.first.get_by_role("link", name=re.compile("^More like this")).click()
    expect(page.get_by_role("link", name=f"Like: {first}")).to_be_visible()
    expect(page.get_by_role("radio", name="Hybrid")).to_be_disabled()
    assert first not in titles(page)
    expect(page.get_by_role("searchbox")).to_have_value("")
    tab.shoot("search-like-360-light-en")
    tab.check()
    assert same()
    page.go_back()
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    expect(hits.first).to_contain_text(first)
    assert page.get_by_role("searchbox").input_value() == "rewrite a resume"
    assert page.evaluate("localStorage.getItem('htmx-history-cache')") is None


def test_a_search_that_fails_says_so_in_place(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(theme="dark", language="ja", width=1024)
    page = tab.open("/admin/search/?q=要約&k=5000")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("1,000")
    same = stays(page)
    page.get_by_role("searchbox").fill("翻訳")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=%E7%BF%BB%E8%A8%B3&k=5000$"))
    expect(alert).to_contain_text("1,000")
    tab.shoot("search-wrong-1024-dark-ja")
    tab.check()
    assert same()
    # The browser itself notes each such answer.
    assert [one for one in tab.wrong if "400" not in one] == []
    tab.wrong.clear()

    page.route("**/admin/search/?*", lambda route: route.abort())
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("[data-search-lost]")).to_be_visible()
    page.unroute("**/admin/search/?*")
    tab.wrong.clear()
    page.context.clear_cookies()
    page.get_by_role("searchbox").fill("履歴書")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/admin/login/\?next=.*search"))
