"""What an operator does: an environment from fork to merge, an alert until it is silent, a key until its end.

On a site of its own: nobody else is to meet its alerts and environments.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.processes import manage

from .conftest import Console, Tab, start_console

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with ExitStack() as stack:
        made = start_console(tmp_path_factory.mktemp("operator"), stack)
        yield made
    assert "Traceback" not in made.log.read_text(), made.log.read_text()


def in_environment(site: Console, name: str, *arguments: str) -> None:
    done = manage(*arguments, **{**site.variables, "AFN_ENVIRONMENT": name})
    assert done.returncode == 0, done.stderr


def item(page: Any, name: str) -> Any:
    return page.locator("li").filter(has=page.get_by_role("heading", name=name))


def test_a_fork_is_changed_compared_merged_and_deleted(open_tab: Open, site: Console) -> None:
    prompt = site.make_prompt("fork/me", "Say hello.\nBe kind.\n")
    tab = open_tab(of=site)
    page = tab.open("/admin/ops/environment/")
    main = page.locator(".afn-current").get_by_role("heading").inner_text().split()[-1]
    tab.check()
    item(page, main).get_by_text("Fork", exact=True).click()
    page.get_by_label("Name of the copy").fill("feature-x")
    page.get_by_role("button", name=f"Copy {main}").click()
    expect(page.get_by_text(f"feature-x is a copy of {main}")).to_be_visible()
    tab.shoot("environments-1280")

    in_environment(site, "feature-x", "move_label", "fork/me", "beta", "1")
    script = (
        "from prompts.models import Prompt; p = Prompt.objects.get(name='fork/me'); "
        "p.content = 'Say hello, politely.\\nBe kind.\\n'; p.save(index=False)"
    )
    in_environment(site, "feature-x", "shell", "-c", script)

    item(page, "feature-x").get_by_text("Compare", exact=True).click()
    page.get_by_role("button", name="Compare feature-x").click()
    expect(page.get_by_text("content differs")).to_be_visible()
    expect(page.get_by_text("1 version more in feature-x")).to_be_visible()
    expect(page.get_by_text("beta v1")).to_be_visible()
    expect(page.locator(".afn-diff").last).to_contain_text("politely")
    tab.check()
    tab.shoot("environments-compare-1280")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status").filter(has_text="Preview.")).to_contain_text("fork/me")
    page.get_by_label(f"Type {main} to confirm").fill(main)
    page.get_by_role("button", name=f"Merge into {main}").click()
    expect(page.get_by_text(f"1 prompt came from feature-x to {main}.")).to_be_visible()
    assert "politely" in site.call("GET", f"/prompts/{prompt['id']}")["content"]

    page = tab.open("/admin/ops/environment/")
    item(page, "feature-x").get_by_text("Delete", exact=True).click()
    box = item(page, "feature-x").get_by_label("Type feature-x")
    box.fill("feature")
    page.get_by_role("button", name="Delete feature-x").click()
    expect(page.get_by_text("Nothing was deleted")).to_be_visible()
    item(page, "feature-x").get_by_text("Delete", exact=True).click()
    box.fill("feature-x")
    page.get_by_role("button", name="Delete feature-x").click()
    expect(page.get_by_text("feature-x is deleted.")).to_be_visible()
    small = open_tab(of=site, width=360, theme="dark")
    small.open("/admin/ops/environment/")
    small.check()
    small.shoot("environments-360-dark")


def test_an_alert_is_seen_acknowledged_and_silenced(open_tab: Open, site: Console) -> None:
    rule = (
        "from ops.alerts.models import AlertRule; AlertRule.objects.create(name='Any connection', "
        "metric='jobs_waiting', comparison='above', threshold=-1, clear=-2, severity='critical', "
        "description='Look at the list of jobs.'); from ops.alerts.evaluating import look; look()"
    )
    site.manage("shell", "-c", rule)
    tab = open_tab(of=site)
    page = tab.open("/admin/ops/alert/")
    card = item(page, "Any connection")
    expect(card).to_contain_text("Look at the list of jobs.")
    expect(card).to_contain_text("above -1")
    tab.check()
    tab.shoot("alerts-open-1280")
    card.get_by_role("button", name="Acknowledge").click()
    expect(item(page, "Any connection")).to_contain_text("Acknowledged by")
    card.get_by_text("Silence", exact=True).click()
    card.get_by_label("For").select_option("8")
    card.get_by_label("Reason").fill("We are at it")
    card.get_by_role("button", name="Silence the rule").click()
    expect(item(page, "Any connection")).to_contain_text("silent until")
    page = tab.open("/admin/ops/alertsilence/")
    expect(page.get_by_text("We are at it")).to_be_visible()
    page = tab.open("/admin/ops/healthrecord/")
    page.get_by_role("link", name="Database", exact=True).first.click()
    page.get_by_role("combobox", name="Time").select_option("7d")
    page.wait_for_url("**range=7d")
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    tab.check()
    tab.shoot("health-part-1280")
    small = open_tab(of=site, width=360, theme="dark", language="ja")
    for path in ("alert/", "healthrecord/", "healthrecord/part/database/", "auditentry/"):
        small.open(f"/admin/ops/{path}")
        small.check()
        small.shoot(f"operator-{path.strip('/').replace('/', '-')}-360-dark")


def test_a_key_is_issued_rotated_and_revoked_by_name(open_tab: Open, site: Console) -> None:
    tab = open_tab(of=site)
    page = tab.open("/admin/prompts/apikey/add/")
    page.locator("[name=name]").fill("shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Copy the secret now.")).to_be_visible()
    first = page.locator("#secret").inner_text()
    assert first in page.locator("#snippet").inner_text()
    tab.check()
    page = tab.open("/admin/prompts/apikey/")
    page.get_by_role("link", name="shop").click()
    key = page.url
    page.get_by_role("link", name="Rotate").click()
    tab.check()
    page.get_by_label("The old secret works for").select_option("24")
    page.get_by_role("button", name="Rotate the secret").click()
    expect(page.get_by_text("The old secret", exact=True)).to_be_visible()
    assert page.locator("#secret").inner_text() != first
    page.goto(key)
    page.get_by_role("link", name="Revoke").click()
    page.get_by_label("Type shop to confirm").fill("shop")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The key no longer works.")).to_be_visible()
    page = tab.open("/admin/ops/auditentry/?action=apikey.*")
    expect(page.locator(".afn-audit")).to_contain_text("shop")
    expect(page.get_by_role("link", name="Without the filter Action")).to_be_visible()
    tab.check()
    tab.shoot("audit-1280")
