"""Fills a registry, works with it for some minutes, and photographs its pages into docs/images."""

import argparse
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, Tab, new_tab, start_console
from tests.processes import worker
from tests.servers import PROJECT

from . import demo
from .pages import PICTURES, Picture

FOLDER = PROJECT / "docs" / "images"
# So few that a picture is small, and so many that nobody sees it.
_COLOURS = 96


def main() -> None:
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these alone, such as home (default: all)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of traffic before (default: 10)")
    options = parser.parse_args()
    wanted = [one for one in PICTURES if not options.names or one.name in options.names]
    if unknown := set(options.names) - {one.name for one in PICTURES}:
        parser.error(f"no picture is called {', '.join(sorted(unknown))}")
    with TemporaryDirectory() as folder, ExitStack() as stack:
        site = start_console(Path(folder), stack)
        stack.enter_context(worker(Path(folder) / "worker.log", site.variables, "--beat"))
        ids = demo.fill(site)
        demo.operate(site)
        demo.traffic(site, options.minutes * 60)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in wanted:
            width, height = picture.size
            tab = new_tab(
                browser, site, theme=picture.theme, language=picture.language, width=width, height=height
            )
            _take(tab, picture, ids)
            tab.page.context.close()
        browser.close()


def _take(tab: Tab, picture: Picture, ids: dict[str, str]) -> None:
    tab.open(f"/admin/{picture.path.format(**ids)}")
    tab.page.wait_for_load_state("networkidle" if picture.path else "load")
    if picture.with_samples:
        for name, value in demo.SAMPLES.items():
            tab.page.locator(f'[name="sample.{name}"]').fill(value)
        tab.page.evaluate("window.scrollTo(0, 0)")
    tab.page.wait_for_timeout(1_000)  # a plot is drawn after its page, and a preview when nobody types
    image = Image.open(BytesIO(tab.page.screenshot())).convert("RGB")
    image = image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{picture.name}.png"
    image.save(path, optimize=True)
    print(f"{path.relative_to(PROJECT)}: {path.stat().st_size / 1000:.0f} kB")
    assert tab.wrong == [], tab.wrong


if __name__ == "__main__":
    main()
