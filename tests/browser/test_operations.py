"""Backups, jobs, schedules and Redis, as an operator goes about them, each on a site of its own."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.processes import worker

from .conftest import Console, Tab, start_console

pytestmark = pytest.mark.browser
BACKUPS = "/admin/ops/backupdrill/"
JOB_MS = 60_000  # so long a job may take on a busy machine


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Console]:
    """Without Redis: the web server's process does the jobs."""
    with ExitStack() as stack:
        console = start_console(tmp_path, stack, REDIS_URL="")
        yield console
    assert "Traceback" not in console.log.read_text(), console.log.read_text()


@pytest.fixture
def with_workers(tmp_path: Path) -> Iterator[Console]:
    with ExitStack() as stack:
        console = start_console(tmp_path, stack)
        stack.enter_context(worker(tmp_path / "worker.log", console.variables))
        yield console


def prove_and_name(page: Page) -> str:
    """Back up, prove; the name of the backup."""
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("Back up is on its way.")).to_be_visible()
    row = page.locator("#backups-live tbody tr")
    expect(row).to_have_count(1, timeout=JOB_MS)
    expect(row.get_by_text("never proved")).to_be_visible()
    expect(page.locator("#backups-live progress")).to_have_count(0, timeout=JOB_MS)
    row.get_by_role("button", name="Prove").click()
    expect(row.get_by_text(re.compile("^proved"))).to_be_visible(timeout=JOB_MS)
    return str(row.locator(".afn-name").inner_text())


def test_back_up_prove_change_and_restore(open_tab: Callable[..., Tab], alone: Console) -> None:
    tab = open_tab(of=alone)
    page = tab.open(BACKUPS)
    expect(page.get_by_text("There are no backups yet")).to_be_visible()
    tab.check()
    name = prove_and_name(page)
    page.reload()
    expect(page.get_by_text(re.compile(r"tables, .* rows, .* searches in"))).to_be_visible()
    tab.check()
    tab.shoot("backups")

    alone.make_prompt("written/since-the-backup")
    page.locator("#backups-live tbody a").first.click()
    expect(page.get_by_role("heading", name="What is in it")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(r"^prompts \d"))).to_be_visible()
    page.get_by_text("Download", exact=True).first.click()
    password = page.locator("form[action$='/download/'] [name=password]")
    password.fill(alone.password)
    with page.expect_download() as download:
        password.press("Enter")
    kept = Path(alone.variables["AFN_BACKUPS_DIR"]) / name
    assert download.value.suggested_filename == name
    assert Path(download.value.path()).read_bytes() == kept.read_bytes()

    page.locator("summary", has_text="Restore").click()
    tab.check()
    form = page.locator("form[action$='/restore/']")
    environment = str(form.locator("button").inner_text()).removeprefix("Replace ")
    form.get_by_label("Your password").fill("not this one")
    form.get_by_label(f"Type {environment}").fill(environment)
    form.locator("button").click()
    expect(page.get_by_role("alert")).to_contain_text("expected your own, got another one")
    tab.shoot("backup")
    form.get_by_label("Your password").fill(alone.password)
    form.get_by_label(f"Type {environment}").fill(environment)
    form.locator("button").click()
    expect(page.get_by_role("heading", name=f"{environment} is restored")).to_be_visible(timeout=JOB_MS)
    tab.check()
    tab.shoot("restored")

    expect(page.get_by_text("You are still logged in.")).to_be_visible()  # as before the backup
    assert "backup.restored" in alone.manage("audit_log")
    names = {one["name"] for one in alone.call("GET", "/prompts?limit=100")["items"]}
    assert names
    assert "written/since-the-backup" not in names
    alone.make_prompt("written/after-the-restore")
    tab.open("/admin/prompts/prompt/?q=after-the-restore")
    expect(page.get_by_text("written/after-the-restore").first).to_be_visible()
    tab.open("/admin/ops/environment/")
    expect(page.get_by_role("heading", name=re.compile("^before-restore-"))).to_be_visible()


def test_a_job_is_started_and_watched_to_its_end(open_tab: Callable[..., Tab], with_workers: Console) -> None:
    tab = open_tab(of=with_workers)
    page = tab.open("/admin/ops/job/")
    expect(page.get_by_role("heading", name="There are no jobs yet")).to_be_visible()
    page.get_by_role("link", name="Start a job").click()
    tab.check()
    tab.shoot("job-start")
    page.get_by_role("link", name="Build an index").click()
    page.get_by_label("Collection").select_option("prompts")
    page.get_by_label("Strategy").select_option("quantised")
    tab.check()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Build an index: prompts is on its way.")).to_be_visible()
    expect(page.locator("#job").get_by_role("status")).to_have_text("succeeded", timeout=JOB_MS)
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()
    expect(page.get_by_role("link", name="prompts", exact=True)).to_be_visible()
    assert page.locator("#job[hx-get]").count() == 0  # it asks no more
    tab.check()
    tab.shoot("job")

    tab.open("/admin/ops/job/start/embed_prompts/")
    page.get_by_role("button", name="Start", exact=True).click()
    tab.open("/admin/ops/job/")
    cell = page.locator("#result_list").get_by_text("Embed the prompts")
    expect(cell.first).to_be_visible()
    expect(page.locator("[id$=-state]").first).to_have_text("succeeded", timeout=JOB_MS)
    expect(page.locator("#jobs-live[hx-get]")).to_have_count(0)
    tab.check()

    tab.open("/admin/django_celery_beat/periodictask/")
    switch = page.get_by_role("switch", name="Empty the trash")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(page.get_by_text("Empty the trash is on.")).to_be_visible()
    expect(page.get_by_role("switch", name="Empty the trash")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Run Clean up now").click()
    page.get_by_role("link", name="See the job").click()
    expect(page.locator("#job").get_by_role("status")).to_have_text("succeeded", timeout=JOB_MS)


def test_redis_while_it_is_there_and_while_it_is_away(
    open_tab: Callable[..., Tab], with_workers: Console
) -> None:
    tab = open_tab(of=with_workers)
    page = tab.open("/admin/ops/redis/")
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
    expect(page.locator(".afn-plot canvas")).to_be_visible()
    expect(page.get_by_text("Queue celery-jobs")).to_be_visible()
    tab.check()
    tab.shoot("redis")

    with_workers.redis.process.send_signal(signal.SIGKILL)
    with_workers.redis.process.wait(10)
    away = page.get_by_text("does not answer", exact=True)
    expect(away).to_be_visible(timeout=JOB_MS)  # by itself, within five seconds or so
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("It does not answer")
    expect(page.get_by_text("Nothing is lost.")).to_be_visible()
    tab.check()
    tab.shoot("redis-away")
    with_workers.redis.start()
    expect(page.get_by_text("answers", exact=True)).to_be_visible(timeout=JOB_MS)
