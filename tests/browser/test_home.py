"""The first page on a living site: it tells of what happens as it happens, and of what does not answer."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import Console, Tab, start_console

pytestmark = pytest.mark.browser


def test_it_tells_of_a_label_as_it_moves(tab: Tab, console: Console) -> None:
    made = console.make_prompt("home/greeting")
    page = tab.open("/admin/")
    expect(page.get_by_role("heading", name="Latest label moves")).to_be_visible()

    console.call("PUT", f"/prompts/{made['id']}/labels/production", {"version": 1})

    moved = page.get_by_role("listitem").filter(has_text="home/greeting").filter(has_text="production")
    expect(moved.first).to_be_visible(timeout=12_000)  # sooner than the clock asks
    tab.check()


def test_it_stays_right_when_redis_goes_and_comes(open_tab: Callable[..., Tab], tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = start_console(tmp_path, stack)
        tab = open_tab(of=site)
        page = tab.open("/admin/")
        redis = (
            page.locator("#home").get_by_role("listitem").filter(has=page.get_by_text("Redis", exact=True))
        )
        expect(redis).to_contain_text("OK")

        site.redis.stop()
        expect(redis).to_contain_text("down", timeout=40_000)
        expect(page.get_by_role("heading", name="Latest versions")).to_be_visible()
        tab.shoot("home-without-redis")

        site.redis.start()
        expect(redis).to_contain_text("OK", timeout=40_000)
        page.goto("about:blank")  # or the page would see the site end
