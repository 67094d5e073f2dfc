"""A real browser on a real site: AFN's own server with Redis, on a database of the bundled samples.

Nothing but what people do, and where that would take long the REST API. A site is shared by the tests of a
process, so a test makes what it changes. Any error of a page fails the test that saw it.
"""

import json
import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.processes import asgi_site, manage
from tests.servers import PROJECT, Server, redis_server

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = PROJECT / "var" / "screenshots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# The first elements that stick out of the screen.
TOO_WIDE = """[...document.querySelectorAll("#main *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""
Theme = Literal["light", "dark"]
Language = Literal["en", "ja"]
# Waiting for what never comes takes so long, on a busy machine no longer than what does.
PATIENCE_MS = 20_000


@dataclass
class Console:
    """A running site, and a superuser of it."""

    url: str
    variables: dict[str, str]
    log: Path
    username: str
    password: str
    redis: Server
    key: str = ""
    cookies: list[Any] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The REST API as the superuser; what it answers."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
            return json.loads(content) if content else None

    def manage(self, *arguments: str) -> str:
        """A command in this site's place; its output."""
        done = manage(*arguments, **self.variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make_prompt(self, name: str, content: str = "Rewrite {{text}} in plain words.", **fields: Any) -> Any:
        return self.call("POST", "/prompts", {"name": name, "title": name, "content": content, **fields})


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """While it runs, so does an event loop in this thread, in which Django refuses to ask a database."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing: install it with `apt install chromium`"
        if os.environ.get("AFN_REQUIRE_SERVERS") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def start_console(folder: Path, stack: ExitStack, **variables: str) -> Console:
    """A site of its own, for a test that breaks or replaces what others would look at."""
    redis = stack.enter_context(redis_server(folder))
    variables = {
        "AFN_DATABASE_FILE": str(folder / "afn.db"),
        "AFN_RUN_DIR": str(folder / "run"),
        "AFN_BACKUPS_DIR": str(folder / "backups"),
        "AFN_ENVIRONMENTS_DIR": str(folder / "environments"),
        "REDIS_URL": redis.url,
        "AFN_EMBEDDER": "wordllama",
        "AFN_SCHEDULE": "0",
        **variables,
    }
    made = manage("quickstart", "--no-server", **variables)
    assert made.returncode == 0, made.stderr
    username, password = re.findall(r"Log in as (\S+) with the password (\S+)", made.stdout)[0]
    options = ["--name", "tests", "--user", username, "--scopes", "read,write", "--json"]
    key = json.loads(manage("create_api_key", *options, **variables).stdout)
    log = folder / "site.log"
    url = stack.enter_context(asgi_site(log, **variables))
    return Console(url, variables, log, username, password, redis, key["secret_key"])


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with ExitStack() as stack:
        console = start_console(tmp_path_factory.mktemp("console"), stack)
        yield console
    assert "Traceback" not in console.log.read_text(), console.log.read_text()


@dataclass
class Tab:
    """A page of somebody who is logged in, and what it did wrong."""

    page: Page
    console: Console
    wrong: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.console.url}{path}")
        self.page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
        return self.page

    def check(self) -> None:
        """As anybody should find it: without serious problems of access, and no wider than the screen."""
        found = Axe().run(self.page, options={"runOnly": RULES}).response["violations"]
        serious = [_violation(one) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], f"{self.page.url}\n" + "\n".join(serious)
        if not self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            raise AssertionError(f"{self.page.url} is too wide: {self.page.evaluate(TOO_WIDE)}")

    def shoot(self, name: str) -> None:
        """Keep how it looks, in var/screenshots."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def new_tab(
    chromium: Browser,
    site: Console,
    *,
    theme: Theme = "light",
    language: Language = "en",
    width: int = 1280,
    height: int = 900,
    logged_in: bool = True,
) -> Tab:
    """In a context of its own, which ``tab.page.context.close()`` ends."""
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        color_scheme=theme,
        locale={"en": "en-GB", "ja": "ja-JP"}[language],
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    if logged_in:
        if not site.cookies:
            _log_in(context, site)
        context.add_cookies(site.cookies)
    tab = Tab(context.new_page(), site, [])
    _watch(tab)
    return tab


@pytest.fixture
def open_tab(chromium: Browser, console: Console) -> Iterator[Callable[..., Tab]]:
    """Of the site that tests share, or of another: ``open_tab(theme="dark", language="ja", width=360)``."""
    tabs: list[Tab] = []

    def make(*, of: Console | None = None, **options: Any) -> Tab:
        tabs.append(new_tab(chromium, of or console, **options))
        return tabs[-1]

    yield make
    for one in tabs:
        one.page.context.close()
    assert [wrong for one in tabs for wrong in one.wrong] == []


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Tab:
    return open_tab()


def _violation(found: Any) -> str:
    nodes = [
        node["html"][:200] + " " + "".join(one["message"] for one in node["any"][:1])
        for node in found["nodes"]
    ]
    return f"{found['id']}, {found['help']}: {nodes[:4]}"


def _log_in(context: BrowserContext, site: Console) -> None:
    page = context.new_page()
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(site.username)
    page.locator("[name=password]").fill(site.password)
    page.locator("form [type=submit]").click()
    page.wait_for_url("**/admin/")
    site.cookies = [one for one in context.cookies() if one["name"] == "sessionid"]
    page.close()


def _watch(tab: Tab) -> None:
    page, wrong, own = tab.page, tab.wrong, (tab.console.url + "/", "data:", "blob:")
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(asked.url))
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 500 else None)
