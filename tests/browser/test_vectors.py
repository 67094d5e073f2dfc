"""Collections, as somebody works with them: look around, tune, draw a map, change the embedding model."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.processes import worker
from tests.vectors import openai_server

from .conftest import Console, Tab, start_console

pytestmark = pytest.mark.browser

SUBJECTS = ("contracts", "poems", "recipes", "servers", "exams", "journeys")
VERBS = ("Rewrite", "Summarise", "Translate", "Check", "Explain", "Plan", "Review", "Draft")
READERS = ("a child", "an expert", "a friend")
LONG = 60_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """With a worker, and a stand-in for a service of embeddings; 1,200 notes are enough for codes."""
    folder = tmp_path_factory.mktemp("vectors")
    with ExitStack() as stack:
        service = stack.enter_context(openai_server.running())
        made = start_console(
            folder,
            stack,
            OPENAI_API_KEY="sk-test",
            OPENAI_BASE_URL=service.url,
            AFN_OUTGOING_ALLOWED="127.0.0.1",
            VECTOR_DIMENSION="8",
        )
        notes = folder / "notes.jsonl"
        notes.write_text("\n".join(json.dumps(_note(number)) for number in range(1_200)))
        made.manage("import_items", "notes", str(notes))
        stack.enter_context(worker(folder / "worker.log", made.variables))
        yield made
    assert "Traceback" not in made.log.read_text(), made.log.read_text()


def _note(number: int) -> dict[str, Any]:
    subject, verb = SUBJECTS[number % 6], VERBS[number // 6 % 8]
    text = f"{verb} {subject} of the year {1800 + number // 48} for {READERS[number % 3]}."
    text += f" {VERBS[number % 8]} what was said of {SUBJECTS[number % 5]} number {number} before."
    return {"key": f"n/{number}", "text": text, "metadata": {"subject": subject, "year": 1800 + number // 48}}


def open_page(tab: Tab, collection: str, name: str) -> Page:
    """A tab of a collection, as one gets there from the list."""
    page = tab.open("/admin/vectors/collection/")
    page.get_by_role("link", name=collection, exact=True).click()
    page.get_by_role("navigation", name="Pages of this collection").get_by_role("link", name=name).click()
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    return page


def drawn(page: Page, chart: str) -> Any:
    return json.loads(page.locator(f"#chart-{chart}").text_content() or "")


def test_one_looks_around_in_a_collection(open_tab: Callable[..., Tab], site: Console) -> None:
    tab = open_tab(of=site)
    page = tab.open("/admin/vectors/collection/")
    expect(page.get_by_role("row", name=re.compile("notes.*1,200.*codes"))).to_be_visible()
    tab.check()
    page.get_by_role("link", name="notes", exact=True).click()
    expect(page.get_by_role("heading", name="Bytes by part")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("12,000"))).to_be_visible()
    tab.check()
    tab.shoot("vectors-overview")

    page = open_page(tab, "notes", "Items")
    page.get_by_label("Filter", exact=True).fill("subject:poems year:1803")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".afn-hits > li")).to_have_count(8)
    tab.check()
    page.locator(".afn-hits h2 a").first.click()
    expect(page.get_by_role("heading", name="Similar items")).to_be_visible()
    tab.check()
    tab.shoot("vectors-item")
    page.get_by_role("link", name="Compare").first.click()
    expect(page.get_by_text("similarity")).to_be_visible()
    tab.check()

    page = open_page(tab, "notes", "Search")
    page.get_by_label("Search this collection").fill("translate recipes for a judge")
    page.get_by_label("Strategy").select_option("exact")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".afn-plan")).to_contain_text("exhaustive")
    expect(page.locator(".afn-hits > li")).to_have_count(10)
    tab.check()

    page = open_page(tab, "notes", "Duplicates")
    page.get_by_label("Least similarity").fill("0.99")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("repeat another")).to_be_visible()
    tab.check()
    tab.shoot("vectors-duplicates")


def test_one_tunes_and_measures(open_tab: Callable[..., Tab], site: Console) -> None:
    tab = open_tab(of=site)
    page = open_page(tab, "notes", "Quality")
    expect(page.get_by_text("It was not measured yet")).to_be_visible()
    page.get_by_label("Recall to reach").fill("0.9")
    page.get_by_role("button", name="Measure", exact=True).click()
    # The page comes back by itself with the plot.
    expect(page.locator('canvas[data-chart="chart-trade"]')).to_be_visible(timeout=LONG)
    spec = drawn(page, "trade")
    names = [one["name"] for one in spec["series"]]
    assert names[-2:] == ["chosen", "target 0.9"]
    assert {"Exact", "Quantised"} <= set(names)
    chosen = next(one for one in spec["series"] if one["marked"])["points"]
    assert chosen[0] in [point for one in spec["series"][:-2] for point in one["points"]]

    page.get_by_role("button", name="Measure the quality now").click()
    expect(page.locator('canvas[data-chart="chart-ndcg"]')).to_be_visible(timeout=LONG)
    assert {"low", "high"} <= set(drawn(page, "ndcg")["series"][0]["points"][0])
    expect(page.get_by_role("row", name=re.compile("hybrid"))).to_be_visible()
    tab.check()
    tab.shoot("vectors-quality")


def test_prompts_lie_on_a_map(open_tab: Callable[..., Tab], site: Console) -> None:
    tab = open_tab(of=site)
    page = open_page(tab, "prompts", "Map")
    page.get_by_label("Colour by").select_option("language")
    page.wait_for_url("**colour=language*")
    spec = drawn(page, "map")
    assert {"en", "ja"} <= {one["name"] for one in spec["series"]}
    points = [point for one in spec["series"] for point in one["points"]]
    assert len(points) == site.call("GET", "/vectors/collections/prompts")["count"]
    tab.check()
    tab.shoot("vectors-map")

    canvas = page.locator('canvas[data-chart="chart-map"]')
    place = canvas.evaluate(
        """(canvas) => {
            const chart = window.Chart.getChart(canvas);
            const element = chart.getDatasetMeta(0).data[0];
            return { x: element.x, y: element.y, text: chart.data.datasets[0].data[0].text };
        }"""
    )
    canvas.hover(position=place)
    ends = canvas.evaluate("(one) => (({ min, max }) => [min, max])(window.Chart.getChart(one).scales.x)")
    assert ends[0] <= min(point["x"] for point in points) <= max(point["x"] for point in points) <= ends[1]
    hovered = "(canvas) => window.Chart.getChart(canvas).tooltip.title.join(' ')"
    assert place["text"] in canvas.evaluate(hovered)
    page.mouse.wheel(0, -300)
    expect(page.get_by_role("button", name="Show all again")).to_be_visible()
    page.get_by_role("button", name="Show all again").click()
    expect(page.get_by_role("button", name="Show all again")).to_be_hidden()
    canvas.click(position=place)
    page.wait_for_url("**/admin/prompts/prompt/*/change/")


def test_a_model_is_changed_and_changed_back(
    open_tab: Callable[..., Tab], site: Console, tmp_path: Path
) -> None:
    file = tmp_path / "moving.jsonl"
    file.write_text("\n".join(json.dumps(_note(number)) for number in range(400)))
    site.manage("import_items", "moving", str(file))
    tab = open_tab(of=site)
    page = open_page(tab, "moving", "Model")
    page.get_by_label("Embedder").select_option("openai")
    page.get_by_label("Texts a second, at most").fill("100")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("heading", name=re.compile("Estimate for openai"))).to_be_visible()
    tab.check()
    page.get_by_role("button", name="Start filling").click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible(timeout=LONG)
    tab.shoot("vectors-filling")
    page.get_by_role("button", name="Compare both").click(timeout=LONG)
    expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=LONG)
    tab.check()
    tab.shoot("vectors-verdict")

    confirm(page, "Switch to the new embeddings", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("expected the name moving")
    assert [one for one in tab.wrong if "400 (Bad Request)" not in one] == []
    tab.wrong.clear()
    confirm(page, "Switch to the new embeddings", "moving")
    expect(page.get_by_text("Searches go by the new embeddings now")).to_be_visible()
    assert site.call("GET", "/vectors/collections/moving")["embedder"] == "openai"
    tab.check()
    confirm(page, "Go back to the old embeddings", "moving")
    assert site.call("GET", "/vectors/collections/moving")["embedder"] == "wordllama"
    confirm(page, "Give up: drop the new embeddings", "moving")
    expect(page.get_by_role("button", name="Estimate")).to_be_visible()


def confirm(page: Page, label: str, name: str) -> None:
    part = page.locator("details", has=page.locator("summary", has_text=label))
    part.locator("summary").click()
    part.get_by_label(re.compile("Type the name")).fill(name)
    if part.get_by_role("checkbox").count():
        part.get_by_role("checkbox").check()
    part.get_by_role("button", name=label).click()
    page.wait_for_load_state()
