"""Writing a prompt: the editor with its preview, the labels and what they ask for, and how it is used."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Console, Tab

pytestmark = pytest.mark.browser
CHAT = [
    {"role": "system", "content": "You are kind."},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "Dear {{name}}"},
]


def form_of(console: Console, name: str) -> str:
    return f"/admin/prompts/prompt/{console.call('GET', f'/prompts/by-name/{name}')['id']}/change/"


def save(page: Page, keys: str = "") -> None:
    with page.expect_navigation():
        if keys:
            page.keyboard.press(keys)
        else:
            page.get_by_role("button", name="Save", exact=True).click()


def judge(console: Console, name: str, version: int, score: float, items: int = 6) -> None:
    for item in range(items):
        body = {"version": version, "score": score, "item": f"ticket-{item}"}
        console.call("POST", f"/prompts/{name}/evaluations", body)


def test_a_prompt_is_written_saved_labelled_and_promoted_on_evidence(tab: Tab, console: Console) -> None:
    page = tab.open("/admin/prompts/prompt/add/")
    page.locator("#id_name").fill("journey/letter")
    page.get_by_label("Title").fill("A letter")
    box = page.get_by_label("Content", exact=True)
    box.fill("Write to {{name}} about ")
    box.press("End")
    page.locator("summary", has_text="Variable").click()
    page.locator("[data-variable-name]").fill("topic")
    page.keyboard.press("Enter")
    expect(box).to_have_value("Write to {{name}} about {{topic}}")
    expect(page.locator("#afn-variables code")).to_have_text(["name", "topic"])
    page.get_by_label("name", exact=True).fill("Aoi")
    preview = page.locator("#afn-preview")
    expect(preview).to_contain_text("Write to Aoi about {{topic}}")
    expect(preview).to_contain_text("about 7 tokens")
    tab.check()
    page.get_by_label("Message of the new version").fill("First draft")
    save(page)
    page.get_by_text("Version 1 was saved").wait_for()

    # The samples are still there, and what would be saved is told before.
    expect(preview).to_contain_text("Write to {{name}}")
    note = page.locator("[data-save-note]")
    expect(note).to_have_text("Nothing changed yet.")
    page.get_by_label("Title").fill("A short letter")
    expect(note).to_have_text("Only properties change: no new version.")
    box.fill("Write a short letter to {{name}} about {{topic}}.")
    expect(note).to_have_text("Saving makes version 2.")
    save(page, "Control+s")
    page.get_by_text("Version 2 was saved").wait_for()
    expect(page.locator(".afn-prompt-head")).to_contain_text("2 versions")

    # production goes to version 1, and to the next one on evidence alone.
    page.get_by_role("link", name="Labels", exact=True).click()
    move = page.get_by_role("region", name="Move a label")
    move.get_by_label("Label").fill("production")
    move.get_by_label("To version").select_option("1")
    expect(move).to_contain_text("production may move to version 1")
    move.get_by_label("Reason").fill("The first one")
    move.get_by_role("button", name="Move label").click()
    page.get_by_text("production serves version 1 now.").wait_for()
    tab.check()
    policy = {"evidence": "better", "minimum_items": 6}
    console.call("PUT", "/labels/production", policy)
    try:
        judge(console, "journey/letter", 1, 0.2)
        judge(console, "journey/letter", 2, 0.9, items=2)
        move.get_by_label("Label").fill("production")
        move.get_by_label("To version").select_option("2")
        expect(move).to_contain_text("The evidence for version 2 is not enough.")
        move.get_by_role("button", name="Move label").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("at least 6 items that both versions were evaluated on, got 2")
        tab.check()
        tab.shoot("prompt-labels-refused")
        judge(console, "journey/letter", 2, 0.9)
        move.get_by_label("To version").select_option("1")
        move.get_by_label("To version").select_option("2")
        expect(move).to_contain_text("production may move to version 2")
        expect(move).to_contain_text("0.700")
        move.get_by_role("button", name="Move label").click()
        page.get_by_text("production serves version 2 now.").wait_for()
        page.get_by_text("Undo production: back to v1").click()
        page.get_by_role("button", name="Undo last move").click()
        page.get_by_text("Taken back: production serves version 1 again.").wait_for()
    finally:
        console.call("DELETE", "/labels/production")
    labels = console.call("GET", "/prompts/journey/letter/labels")
    assert labels == {"labels": {"latest": 2, "production": 1}}
    page.get_by_role("link", name="Use it", exact=True).click()
    expect(page.locator("#afn-langfuse")).to_contain_text('compile(name="…", topic="…")')
    tab.check()


def test_what_is_hardly_meant_is_told_and_what_was_refused_is_not_lost(tab: Tab, console: Console) -> None:
    console.make_prompt("journey/slips", "Greet {{name}}.")
    page = tab.open(form_of(console, "journey/slips"))
    page.locator("summary", has_text="Variable").click()
    name = page.get_by_label("Name", exact=True).last
    name.fill("agent name")
    page.get_by_role("button", name="Insert", exact=True).first.click()
    expect(page.get_by_label("Content", exact=True)).to_have_value("Greet {{name}}.")
    assert "such as agent_name" in name.evaluate("(box) => box.validationMessage")
    name.fill("agent_name")
    name.press("Enter")
    content = page.get_by_label("Content", exact=True)
    expect(content).to_have_value(re.compile("{{agent_name}}"))
    content.fill("Greet {{name} warmly.")
    expect(page.locator("#afn-preview")).to_contain_text("Line 1: {{name} is no variable.")
    tab.check()

    page.get_by_label("Template format").select_option("jinja2")
    content.fill("Greet {{ name")
    save(page)
    expect(page.locator("[data-save-note]")).to_have_text("Not saved yet.")
    expect(content).to_have_value("Greet {{ name")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    content.click()  # a page is asked for nobody who has not touched it
    page.get_by_role("link", name="Home").first.click(no_wait_after=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    expect(content).to_have_value("Greet {{ name")


def test_a_chat_is_edited_by_the_keyboard_and_includes_another_prompt(tab: Tab, console: Console) -> None:
    console.make_prompt("journey/rules", "Be brief.")
    console.make_prompt("journey/chat", CHAT)
    page = tab.open(form_of(console, "journey/chat"))
    expect(page.locator(".afn-bubble")).to_have_count(3)
    expect(page.get_by_label("Message 1")).to_have_value("You are kind.")
    page.get_by_label("Message 3").press("Alt+ArrowUp")
    page.get_by_role("button", name="Add message").click()
    page.keyboard.type("Thanks. ")
    page.locator("summary", has_text="Include a prompt").click()
    page.get_by_label("Find a prompt").fill("journey/rul")
    page.get_by_role("button", name="Insert journey/rules by latest").click()
    expect(page.locator(".afn-bubble-assistant")).to_contain_text("Thanks. Be brief.")
    page.get_by_label("name", exact=True).fill("葵")
    expect(page.locator(".afn-bubble-user")).to_contain_text("Dear 葵")
    tab.check()
    tab.shoot("prompt-chat")
    save(page, "Control+Enter")
    page.get_by_text("Version 2 was saved").wait_for()
    content = console.call("GET", "/prompts/journey/chat")["content"]
    assert [one.get("role", one.get("name")) for one in content] == ["system", "user", "history", "assistant"]
    assert content[3]["content"] == "Thanks. Be brief."


def test_saving_keeps_what_is_the_same_and_what_somebody_else_wrote(tab: Tab, console: Console) -> None:
    console.make_prompt("journey/same", "\n One\n\nTwo \n")
    page = tab.open(form_of(console, "journey/same"))
    page.get_by_label("Title").fill("Other")
    save(page)
    page.get_by_text("so there is no new version").wait_for()
    found = console.call("GET", "/prompts/journey/same")
    assert (found["title"], found["version"], found["content"]) == ("Other", 1, "\n One\n\nTwo \n")

    console.call("PATCH", f"/prompts/{found['id']}", {"content": "Theirs", "message": "Faster"})
    page.get_by_label("Content", exact=True).fill("Mine")
    save(page)
    alert = page.get_by_role("alert").filter(has_text="saved version 2")
    expect(alert).to_contain_text("Faster")
    expect(alert.get_by_role("link")).to_have_attribute(
        "href", f"/admin/prompts/prompt/{found['id']}/diff/?from=1&to=2"
    )
    expect(page.get_by_label("Content", exact=True)).to_have_value("Mine")
    tab.check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save mine on top of it").click()
    page.get_by_text("Version 3 was saved").wait_for()
    assert console.call("GET", "/prompts/journey/same")["content"] == "Mine"


@pytest.mark.parametrize(("theme", "width"), [("light", 1600), ("dark", 360), ("dark", 1024)])
def test_the_pages_of_a_prompt_are_for_everybody(
    open_tab: Callable[..., Tab], console: Console, theme: Any, width: int
) -> None:
    name = f"journey/look-{width}"
    variables = {
        "tone": {"type": "enum", "values": ["kind", "firm"], "default": "kind"},
        "count": {"type": "number"},
    }
    text = "Write {{count}} lines to {{name}} in a {{tone}} voice.\n\n- 履歴書を要約。\n- Keep it short."
    fields = {"variables": variables, "tags": ["career", "writing"], "labels": ["production", "beta"]}
    made = console.make_prompt(name, text, **fields)
    tab = open_tab(theme=theme, width=width)
    for page, path in (("form", "change"), ("labels", "labels"), ("use", "use"), ("delete", "delete")):
        tab.open(f"/admin/prompts/prompt/{made['id']}/{path}/")
        if page == "form":
            expect(tab.page.locator("#afn-preview")).to_contain_text("lines to")
        tab.shoot(f"prompt-{page}-{width}-{theme}")
        tab.check()
