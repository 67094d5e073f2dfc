"""What a page costs a browser that sees it for the first time: bytes over the wire, and the time until its
largest piece is painted, as the browser's own performance API has it. Takes Playwright and Chromium.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.web_client import HOST

_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_LARGEST: Final = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => resolve(null), 3000);
})"""


@dataclass(frozen=True, slots=True)
class Seen:
    """``kilobytes`` as sent, without fonts, which have their own figure."""

    name: str
    kilobytes: float
    fonts_kilobytes: float
    requests: int
    largest_paint_ms: float | None
    errors: int


def check() -> None:
    """Raises ``NotMeasured`` where there is no browser."""
    try:
        import playwright  # noqa: F401
    except ImportError as error:
        raise NotMeasured("--browser: install Playwright, such as by `pip install playwright`") from error
    _program()


def look(port: int, session: str, addresses: Iterable[tuple[str, str, int]]) -> list[Seen]:
    """Each page by a browser that has seen none before."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_program(), args=list(_ARGUMENTS))
        try:
            return [
                _look(chromium, port, session, name, path) for name, path, _ in addresses if "," not in name
            ]
        finally:
            chromium.close()


def _look(chromium: Any, port: int, session: str, name: str, path: str) -> Seen:
    site = f"http://{HOST}:{port}"
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    page = context.new_page()
    kinds: dict[str, str] = {}
    sizes: dict[str, float] = {}
    errors: list[str] = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.responseReceived", lambda one: kinds.update({one["requestId"]: one["type"]}))
    wire.on("Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{site}{path}", wait_until="networkidle")
    largest = page.evaluate(_LARGEST)
    context.close()
    fonts = sum(size for key, size in sizes.items() if kinds.get(key) == "Font")
    rest = sum(sizes.values()) - fonts
    return Seen(name, rest / 1_000, fonts / 1_000, len(sizes), largest, len(errors))


def _program() -> str:
    for name in _PROGRAMS:
        if path := shutil.which(name):
            return path
    raise NotMeasured("--browser: install Chromium, such as by `apt install chromium`")
