"""The letters of the console's icons: unfold's font has 4,000, 288 kB, of which pages show some dozens.

`make icons` cuts the font down to those that a page may name; a test says when one is missing.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import unfold
from fontTools import subset
from fontTools.ttLib import TTFont

from .servers import PROJECT

UNFOLD = Path(unfold.__file__).parent
WHOLE = UNFOLD / "static/unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
# Of the same name as unfold's, before which Django finds it.
OWN = PROJECT / "afn_project/static/unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
_FOLDERS = ("templates", "afn_project", "ops", "prompts", "vectors")
_SOURCES = (UNFOLD, *(PROJECT / name for name in _FOLDERS))
# A name in quotes, or as the text of an element. More words look like that than are icons: a small cost.
_NAME = re.compile(r"""["'>]\s*([a-z][a-z0-9_]*)\s*["'<]""")


def ligatures(font: TTFont) -> dict[str, str]:
    """Glyphs by the name that is written to see them."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, rest in getattr(table, "ligatures", {}).items():
                for one in rest:
                    name = "".join(letters.get(glyph, "?") for glyph in (first, *one.Component))
                    found[name] = one.LigGlyph
    return found


def named(known: Iterable[str]) -> set[str]:
    """Of the known icons those that a template, a script or a setting may show."""
    return {*known} & {name for path in _files() for name in _NAME.findall(path.read_text(encoding="utf-8"))}


def cut() -> int:
    """Write the font of the icons in use; how many there are."""
    font = TTFont(WHOLE)
    glyphs = ligatures(font)
    names = named(glyphs)
    options = subset.Options(layout_closure=False, layout_features=["*"], flavor="woff2", hinting=False)
    cutter = subset.Subsetter(options)
    letters = {ord(letter) for name in names for letter in name}
    cutter.populate(glyphs={glyphs[name] for name in names}, unicodes=letters)
    cutter.subset(font)
    OWN.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    subset.save_font(font, written, options)
    OWN.write_bytes(written.getvalue())
    return len(names)


def _files() -> Iterator[Path]:
    for source in _SOURCES:
        for path in sorted(source.rglob("*")):
            if path.suffix in (".html", ".py", ".js", ".css") and "vendor" not in path.parts:
                yield path


if __name__ == "__main__":
    print(f"{cut()} icons, {OWN.stat().st_size / 1000:.0f} kB, {OWN.relative_to(PROJECT)}")
