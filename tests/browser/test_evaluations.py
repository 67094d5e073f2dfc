"""Evaluating as an engineer does it: two versions on a dataset, which is better and on what; a split test."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import Console, Tab

pytestmark = pytest.mark.browser
ITEMS = 40


def evaluate(console: Console, prompt: str, version: int, right: int) -> Any:
    """A run whose first answers are right."""
    metrics = [{"type": "exact_match"}, {"type": "contains"}]
    run = {
        "prompt": prompt,
        "version": version,
        "dataset": "sums",
        "metrics": metrics,
        "name": f"Run {version}",
    }
    made = console.call("POST", "/runs", run)
    outputs = [str(at) if at < right else f"I believe it is {at}, or {at + 1}." for at in range(ITEMS)]
    results = [{"item": f"q{at:02}", "output": output} for at, output in enumerate(outputs)]
    for at, result in enumerate(results):
        if at >= right and at % 2:
            result["output"] = "No idea."
    console.call("POST", f"/runs/{made['id']}/results", {"results": results})
    return made


def test_versions_are_evaluated_and_compared(open_tab: Callable[..., Tab], console: Console) -> None:
    made = console.make_prompt("sums/add", "Add {{numbers}}.")
    console.call("POST", "/prompts/sums/add/versions", {"content": "Add {{numbers}}. Give the sum alone."})
    console.call("POST", "/datasets", {"name": "sums", "description": "What is one more?"})
    items = [
        {"key": f"q{at:02}", "variables": {"numbers": f"{at}+0"}, "expected": str(at)} for at in range(ITEMS)
    ]
    console.call("PUT", "/datasets/sums/items", {"items": items})
    old, new = evaluate(console, "sums/add", 1, 10), evaluate(console, "sums/add", 2, 32)
    tab = open_tab()

    page = tab.open(f"/admin/prompts/prompt/{made['id']}/evaluations/?name=exact_match")
    drawn = json.loads(page.locator("#chart-versions").text_content() or "")
    points = drawn["series"][0]["points"]
    assert [(point["x"], point["y"]) for point in points] == [("v1", 0.25), ("v2", 0.8)]
    assert points[0]["low"] < 0.25 < points[0]["high"] < points[1]["low"]
    expect(page.locator(".afn-plot canvas")).to_be_visible()
    tab.check()
    tab.shoot("prompt-evaluations-1280-light")

    page.get_by_role("button", name="Compare scores").click()
    expect(page.get_by_text("better", exact=True)).to_be_visible()
    expect(page.locator(".afn-stats")).to_contain_text("+0.550")
    expect(page.get_by_text("None of the items")).to_be_visible()
    tab.check()
    page.get_by_role("link", name="Swap").click()
    expect(page.locator(".afn-hits > li")).to_have_count(10)
    expect(page.locator(".afn-hits > li").first).to_contain_text("10+0")
    tab.check()
    tab.shoot("comparison-1280-light")

    tab.open(f"/admin/prompts/evaluationrun/{old['id']}/change/?name=exact_match")
    expect(page.get_by_role("heading", name="q10")).to_be_visible()
    tab.check()
    tab.shoot("run-1280-light")
    page.get_by_label("Compare with").select_option(new["id"])
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile(f"to={old['id']}&from={new['id']}"))
    expect(page.get_by_text("worse", exact=True)).to_be_visible()

    tab.open("/admin/prompts/evaluationrun/add/?prompt=sums/add&dataset=sums")
    page.get_by_label("Matches the regular expression").fill("(")
    page.get_by_role("button", name="Begin the run").click()
    expect(page.get_by_label("Matches the regular expression")).to_have_attribute("aria-invalid", "true")
    tab.check()
    tab.shoot("run-add-1280-light")
    page.get_by_label("Matches the regular expression").fill("[0-9]")
    page.get_by_role("button", name="Begin the run").click()
    expect(page.get_by_text("0 / 40")).to_be_visible()
    run = page.url.split("/")[-3]
    result = {"item": "q00", "output": "0"}
    console.call("POST", f"/runs/{run}/results", {"results": [result]})
    expect(page.get_by_text("1 / 40")).to_be_visible()  # by itself
    tab.open("/admin/prompts/evaluationrun/")
    expect(page.locator("#running")).to_contain_text("1 / 40")
    tab.check()
    tab.shoot("runs-1280-light")
    tab.open(f"/admin/prompts/evaluationrun/{run}/change/")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("The run was cancelled; what is done is kept.")).to_be_visible()

    phone = open_tab(theme="dark", language="ja", width=360, height=740)
    dataset = phone.open("/admin/prompts/dataset/").get_by_role("link", name="sums")
    dataset.click()
    expect(phone.page.get_by_role("rowheader", name="q00")).to_be_visible()
    phone.check()
    phone.shoot("dataset-360-dark-ja")
    for name, path in {
        "prompt-evaluations": f"prompt/{made['id']}/evaluations/",
        "comparison": f"prompt/{made['id']}/comparison/?from=2&to=1&name=exact_match",
        "run": f"evaluationrun/{old['id']}/change/",
        "run-add": "evaluationrun/add/",
    }.items():
        phone.open(f"/admin/prompts/{path}")
        phone.check()
        phone.shoot(f"{name}-360-dark-ja")


def test_a_split_test_is_started_watched_and_ended(open_tab: Callable[..., Tab], console: Console) -> None:
    made = console.make_prompt("split/greeting", "Greet {{name}}.")
    console.call("POST", "/prompts/split/greeting/versions", {"content": "Greet {{name}} warmly."})
    console.call("PUT", "/prompts/split/greeting/labels/production", {"version": 1})
    tab = open_tab()
    page = tab.open(f"/admin/prompts/prompt/{made['id']}/split/")
    tab.check()
    tab.shoot("split-start-1280-light")

    page.get_by_label("Why").fill("Warmer may be better")
    page.get_by_role("button", name="Start the split").click()
    expect(page.get_by_text("The split of production is running")).to_be_visible()
    for number in range(120):
        subject = f"user-{number}"
        served = console.call("GET", f"/prompts/split/greeting?label=production&subject={subject}")["version"]
        value = 1 if served == 2 else 0
        console.call(
            "POST", "/prompts/split/greeting/labels/production/outcomes", {"subject": subject, "value": value}
        )

    page.reload()
    expect(page.get_by_text("The versions differ: you may stop, and v2 did best.")).to_be_visible()
    expect(page.locator(".afn-plot canvas")).to_be_visible()
    tab.check()
    tab.shoot("split-1280-light")
    page.get_by_text("End it").click()
    expect(page.get_by_label("Then production serves")).to_have_value("2")
    page.get_by_role("button", name="End the split").click()
    expect(page.get_by_text("The split ended; production serves v2.")).to_be_visible()
    assert console.call("GET", "/prompts/split/greeting?label=production")["version"] == 2
    tab.check()
    phone = open_tab(theme="dark", language="ja", width=360, height=740)
    phone.open(f"/admin/prompts/prompt/{made['id']}/split/")
    phone.check()
    phone.shoot("split-360-dark-ja")


def test_a_new_user_evaluates_by_the_console_alone(open_tab: Callable[..., Tab], console: Console) -> None:
    """A dataset from CSV, a run without a model, outputs pasted in, and the score."""
    console.make_prompt("sums/double", "Double {{number}}.")
    tab = open_tab()
    page = tab.open("/admin/prompts/dataset/")
    tab.shoot("datasets-1280-light")
    page.get_by_role("link", name=re.compile("New dataset|Add dataset")).first.click()
    page.get_by_label("Name").fill("doubles")
    page.get_by_label("Items").fill("number,expected\n1,2\n2")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_text("Line 3, row: expected 2 cells, got 1 cell.")).to_be_visible()
    expect(page.get_by_label("Items")).to_have_value("number,expected\n1,2\n2")
    tab.check()
    tab.shoot("dataset-add-1280-light")
    page.get_by_label("Items").fill("")
    csv = b"number,expected\n1,2\n2,4\n3,6\n"
    page.get_by_label("Or a file").set_input_files(
        {"name": "doubles.csv", "mimeType": "text/csv", "buffer": csv}
    )
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_text("It has 3 items.")).to_be_visible()
    tab.check()
    tab.shoot("dataset-1280-light")

    adding = open_tab(theme="dark")
    more = adding.open(page.url.removeprefix(console.url))
    more.get_by_text("Add items").first.click()
    broken = {"name": "more.csv", "mimeType": "text/csv", "buffer": b"number,number\n4,8\n"}
    more.get_by_label("Or a file").set_input_files(broken)
    more.get_by_role("button", name="Add items").click()
    expect(
        more.get_by_text("Line 1, number: expected columns that occur once, got it twice.")
    ).to_be_visible()
    adding.check()
    adding.shoot("dataset-items-1280-dark")

    page.get_by_role("link", name="Begin a run with it").click()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("doubles")
    page.get_by_role("combobox", name="Prompt").fill("sums/double")
    page.get_by_role("button", name="Begin the run").click()
    page.get_by_label("Output 0001").fill("2")
    page.get_by_label("Output 0003").fill("7")
    tab.check()
    tab.shoot("outputs-1280-light")
    where = page.url
    phone = open_tab(theme="dark", width=360, height=740)
    for name, path in {
        "outputs": where.removeprefix(console.url),
        "dataset-add": "/admin/prompts/dataset/add/",
        "datasets": "/admin/prompts/dataset/",
    }.items():
        phone.open(path)
        phone.check()
        phone.shoot(f"{name}-360-dark")
    page.get_by_role("button", name="Send outputs").click()
    expect(page.get_by_text("2 outputs were stored.")).to_be_visible()
    expect(page.get_by_label("Output 0001")).to_have_count(0)
    page.get_by_label("Output 0002").fill("4")
    page.get_by_role("button", name="Send outputs").click()
    expect(page.get_by_text("1 output was stored.")).to_be_visible()
    expect(page.locator(".afn-stats")).to_contain_text("0.667")
    expect(page.get_by_role("heading", name="0003")).to_be_visible()
    tab.check()
    tab.shoot("pasted-1280-light")
