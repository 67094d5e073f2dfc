"""A prompt's history as its author uses it: what changed, who wrote what, going back; and its relations."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from .conftest import Console, Tab

pytestmark = pytest.mark.browser


def save(console: Console, name: str, content: str, message: str) -> None:
    console.call("POST", f"/prompts/{quote(name)}/versions", {"content": content, "message": message})


def test_versions_are_compared_traced_and_restored(open_tab: Callable[..., Tab], console: Console) -> None:
    lines = [f"Rule {number}: keep to the point." for number in range(1, 30)]
    made = console.make_prompt("history/rules", "\n".join(lines))
    lines[4] = "Rule 5: keep to the facts."
    save(console, "history/rules", "\n".join(lines), "Facts first")
    lines[20] = "Rule 21: end with a question."
    lines.append("Rule 30: be kind.")
    save(console, "history/rules", "\n".join(lines), "A question at the end")
    tab = open_tab()
    page = tab.open(f"/admin/prompts/prompt/{made['id']}/versions/")
    tab.check()
    tab.shoot("versions-1280-light")
    expect(page.get_by_text("Facts first")).to_be_visible()

    page.get_by_label("A: v1").check()
    page.get_by_label("B: v3").check()
    page.get_by_role("button", name="Compare A and B").click()

    expect(page).to_have_url(re.compile(r"to=3&from=1"))
    expect(page.locator("del")).to_have_count(5)
    place = page.locator("[data-at]")
    expect(place).to_have_text("– of 3")
    page.keyboard.press("n")
    expect(place).to_have_text("1 of 3")
    expect(page.locator(".afn-here")).to_contain_text("facts")
    page.keyboard.press("p")
    expect(place).to_have_text("3 of 3")
    page.get_by_role("button", name="Next change").click()
    expect(place).to_have_text("1 of 3")
    tab.check()
    tab.shoot("diff-1280-light")
    page.get_by_role("link", name="One column").click()
    expect(page.locator(".afn-diff-one")).to_be_visible()
    page.get_by_role("link", name="All lines").click()
    expect(page.locator(".afn-fold")).to_have_count(0)
    expect(page.locator(".afn-diff-one")).to_be_visible()
    tab.check()
    tab.shoot("diff-one-1280-light")
    page.get_by_role("link", name="Swap").click()
    expect(page.locator("ins").first).to_have_text("point")

    page.goto(f"/admin/prompts/prompt/{made['id']}/blame/")
    expect(page.locator(".afn-passage")).to_have_count(6)
    tab.check()
    tab.shoot("blame-1280-light")
    page.get_by_role("link", name="v2", exact=True).click()
    expect(page).to_have_url(re.compile(r"diff/\?from=1&to=2"))

    page.get_by_role("link", name="Versions", exact=True).last.click()
    page.get_by_role("button", name="Restore v1").click()
    expect(page.get_by_text("v4 was added, with the content of v1.")).to_be_visible()
    expect(page.get_by_text("Restored v1")).to_be_visible()
    assert console.call("GET", "/prompts/history/rules")["version"] == 4


def test_a_japanese_text_is_compared_on_a_phone(open_tab: Callable[..., Tab], console: Console) -> None:
    made = console.make_prompt("履歴/要約", "次の文章を三行で要約してください。\n丁寧に書いてください。")
    save(console, "履歴/要約", "次の文章を五行で要約してください。\n丁寧に書いてください。", "五行に")
    tab = open_tab(theme="dark", language="ja", width=360, height=740)
    page = tab.open(f"/admin/prompts/prompt/{made['id']}/diff/?from=1&to=2")

    expect(page.locator("del")).to_have_text("三")
    expect(page.locator("ins")).to_have_text("五")
    for name in ("versions", "diff", "blame", "relations"):
        tab.open(f"/admin/prompts/prompt/{made['id']}/{name}/")
        tab.check()
        tab.shoot(f"{name}-360-dark-ja")


def test_relations_of_a_composed_prompt_and_its_near_duplicates(
    open_tab: Callable[..., Tab], console: Console
) -> None:
    text = "Answer the customer's mail about {{order}}, politely and in at most five sentences."
    console.make_prompt("relations/tone", "Be polite, and use no slang.")
    style = console.make_prompt("relations/style", "@@@prompt:name=relations/tone|label=latest@@@ Be brief.")
    console.make_prompt("relations/mail", f"@@@prompt:name=relations/style|version=1@@@ {text}")
    twin = console.make_prompt("relations/mail-twin", f"{text}!", title="relations/mail")
    plain = console.make_prompt("relations/mail-plain", text, title="relations/mail")
    tab = open_tab()
    page = tab.open(f"/admin/prompts/prompt/{style['id']}/relations/")

    expect(page.get_by_role("region", name="Included by").get_by_role("link")).to_have_text("relations/mail")
    inner = page.get_by_role("region", name="Includes", exact=True)
    expect(inner.get_by_role("link")).to_have_text("relations/tone")
    tab.check()
    tab.shoot("relations-1280-light")
    console.manage("embed_prompts")
    tab.open(f"/admin/prompts/prompt/{plain['id']}/relations/")
    row = page.get_by_role("row", name="relations/mail-twin")
    expect(row).to_contain_text("near-identical")
    tab.shoot("similar-1280-light")
    row.get_by_role("link", name="Compare texts").click()
    expect(page).to_have_url(re.compile(f"with={twin['id']}"))
    expect(page.locator("ins")).to_have_text("!")
    tab.check()
