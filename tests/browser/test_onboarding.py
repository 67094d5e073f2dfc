"""Somebody new, on a site without prompts: from a file to the first steps, and the tour by keys."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.processes import asgi_site, manage
from tests.servers import redis_server

from .conftest import Console, Tab

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
TABLE = "title,content,folder\nGreeting,Say hello to {{name}} kindly.,mail\nNothing,,mail\n"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A site with its tables, a superuser, and nothing else."""
    folder: Path = tmp_path_factory.mktemp("empty")
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder))
        variables = {
            "AFN_DATABASE_FILE": str(folder / "afn.db"),
            "AFN_RUN_DIR": str(folder / "run"),
            "AFN_BACKUPS_DIR": str(folder / "backups"),
            "AFN_ENVIRONMENTS_DIR": str(folder / "environments"),
            "REDIS_URL": redis.url,
            "AFN_EMBEDDER": "wordllama",
            "AFN_SCHEDULE": "0",
            "ENVIRONMENT": "development",
        }
        for command in (
            ("migrate", "--verbosity=0"),
            ("createsuperuser", "--noinput", "--username=aoi", "--email=aoi@example.com"),
        ):
            made = manage(*command, DJANGO_SUPERUSER_PASSWORD=PASSWORD, **variables)
            assert made.returncode == 0, made.stderr
        log = folder / "site.log"
        url = stack.enter_context(asgi_site(log, **variables))
        yield Console(url, variables, log, "aoi", PASSWORD, redis)
        assert "Traceback" not in log.read_text(), log.read_text()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_a_site_without_prompts_says_what_to_do(
    open_tab: Callable[..., Tab], empty: Console, theme: str, width: int
) -> None:
    tab = open_tab(of=empty, theme=theme, width=width)
    for path in ("", "prompts/prompt/", "prompts/labelmove/", "ops/job/", "search/"):
        tab.open(f"/admin/{path}")
        tab.check()
        tab.shoot(f"empty-{path.strip('/').replace('/', '-') or 'home'}-{width}")


def test_from_a_file_to_the_first_steps(open_tab: Callable[..., Tab], empty: Console) -> None:
    tab = open_tab(of=empty)
    page = tab.open("/admin/")
    expect(page.get_by_role("heading", name="Welcome. There are no prompts yet")).to_be_visible()
    expect(page.get_by_text("0 of 6 done")).to_be_visible()

    page.get_by_role("link", name="Import your own").click()
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert")).to_contain_text("This field is required")
    page.get_by_label("File").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    )
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    row = page.get_by_role("region", name="Refused rows").get_by_role("row").nth(1)
    expect(row).to_contain_text("some text")
    tab.check()
    tab.shoot("import-checked-1280")
    page.get_by_role("button", name="Import", exact=True).click()  # the file is still chosen
    expect(page.get_by_text("Imported.")).to_be_visible()
    page.get_by_role("link", name="See the prompts").click()
    expect(page.get_by_role("link", name="mail/Greeting")).to_be_visible()

    with page.expect_download() as export:
        tab.open("/admin/prompts/prompt/export/").get_by_role("button", name="Export").click()
    assert export.value.suggested_filename == "prompts.jsonl"
    assert "mail/Greeting" in Path(export.value.path()).read_text()

    steps = tab.open("/admin/").get_by_role("region", name="First steps")
    expect(steps).to_contain_text("1 of 6 done")
    tab.check()
    tab.shoot("first-steps-1280")
    steps.get_by_role("link", name="Give a version the label production").click()
    expect(page.get_by_role("heading", name="mail/Greeting").first).to_be_visible()
    tab.open("/admin/").get_by_role("button", name="Hide").click()
    expect(page.get_by_role("heading", name="First steps")).to_have_count(0)


def test_the_tour_is_walked_by_keys(tab: Tab) -> None:
    page = tab.open("/admin/tour/")
    stops = page.get_by_role("navigation", name="Stops of the tour")
    stops.get_by_role("link", name="Compare").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#compare")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open Versions")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/prompts/promptversion/")
