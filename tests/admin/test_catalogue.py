"""The Japanese of the console is complete, and says of each message what its source does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from tests import messages
from tests.messages import CATALOGUE, COMPILED, OWN, PROJECT
from tests.servers import require


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_every_message_of_the_sources_is_in_the_catalogue(catalogue: polib.POFile) -> None:
    require("xgettext")

    def keys(entries: polib.POFile) -> set[tuple[str, str, str]]:
        return {(one.msgid, one.msgid_plural, one.msgctxt or "") for one in entries if not one.obsolete}

    wanted, there = keys(messages.extract()), keys(catalogue)

    assert sorted(wanted - there) == [], "new in the sources: run `make messages` and translate them"
    assert sorted(there - wanted) == [], "gone from the sources: run `make messages`"


def test_every_message_is_translated(catalogue: polib.POFile) -> None:
    assert len(catalogue) > 1_000
    assert [one.msgid for one in catalogue.untranslated_entries()] == []
    assert [one.msgid for one in catalogue.fuzzy_entries()] == []


def test_translations_have_the_places_and_ends_of_their_sources(catalogue: polib.POFile) -> None:
    def shape(text: str) -> tuple[list[str], list[str], bool, bool]:
        tags = sorted(re.findall(r"</?[a-z]+", text))
        return messages.places(text), tags, text.startswith("\n"), text.endswith("\n")

    wrong = [
        (one.msgid, text)
        for one in catalogue
        for text in ([one.msgstr] if not one.msgid_plural else one.msgstr_plural.values())
        if shape(text) != shape(one.msgid_plural or one.msgid)
    ]
    assert wrong == []


def test_it_is_compiled(catalogue: polib.POFile) -> None:
    def texts(entries: polib.POFile | polib.MOFile) -> dict[tuple[str, str], object]:
        return {(one.msgid, one.msgctxt or ""): one.msgstr or one.msgstr_plural for one in entries}

    assert texts(polib.mofile(str(COMPILED))) == texts(catalogue), "run `make messages`"


# Of a template: what says nothing itself, and the attributes that are read out.
_MARKED = re.compile(
    r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}|\{%\s*blocktrans.*?endblocktrans(?:late)?\s*%\}", re.S
)
_CODE = re.compile(
    r"<(code|script|style|svg|kbd|pre)\b.*?</\1>|<!--.*?-->|<span class=\"material-symbols[^>]*>[^<]*</span>",
    re.S,
)
_DJANGO = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)
_SPOKEN = re.compile(r"""\s(?:title|alt|placeholder|aria-label|data-copied)="([^"]*)\"""")
# Names, and what is written the same in Japanese.
_NAMES = {
    "AFN", "AND", "API", "CSV", "JSON", "JSONL", "ID", "MRR", "PCA", "SHA", "SQL", "UMAP", "Redis", "URL",
    "nDCG", "ms", "kB", "MB", "GB", "Ctrl", "Alt", "ja",
    # Values that code knows, and examples of them.
    "latest", "production", "system", "user", "assistant", "developer", "tool", "history", "feature", "label",
    "lang", "en", "tags", "chat",
}  # fmt: skip


def bare(template: str) -> Iterator[str]:
    """Words that a template says without having them translated."""
    text = _DJANGO.sub(" ", _CODE.sub(" ", _MARKED.sub(" ", template)))
    said = " ".join(_SPOKEN.findall(text)) + " " + re.sub(r"&#?\w+;|<[^>]*>", " ", text)
    yield from (word for word in re.findall(r"[A-Za-z]{2,}", said) if word not in _NAMES)


def test_the_look_at_templates_sees_what_is_bare() -> None:
    template = (
        '{% translate "Fine" %} <b title="Bad">{{ one|date:"Y" }} words</b> <code>fine</code> {# fine #}'
    )
    assert list(bare(template)) == ["Bad", "words"]


@pytest.mark.parametrize("app", ["templates"])
def test_templates_say_nothing_untranslated(app: str) -> None:
    found = {
        str(path.relative_to(PROJECT)): words
        for path in sorted((PROJECT / app).rglob("*.html"))
        if (words := list(bare(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


# What these say is shown on a page.
_SHOWN = {"description", "help_text", "verbose_name", "verbose_name_plural", "search_help_text", "title"}
_CONSOLE = re.compile(r"/(admin|pages|forms|models)(/|\.py$|_)")


def unmarked(source: str) -> Iterator[str]:
    """English texts that stand as they are where pages show them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword):
            names = {node.arg}
        elif isinstance(node, ast.Assign):
            names = {one.id for one in node.targets if isinstance(one, ast.Name)}
        else:
            continue
        if names & _SHOWN and _is_english(node.value):
            yield ast.unparse(node.value)


def _is_english(value: ast.expr) -> bool:
    if isinstance(value, ast.JoinedStr):
        return True
    text = value.value if isinstance(value, ast.Constant) else ""
    return isinstance(text, str) and any(one not in _NAMES for one in re.findall("[A-Za-z]{2,}", text))


def test_the_look_at_sources_sees_what_is_not_marked() -> None:
    source = 'x(description="Bad"); x(description=_("Fine"))\nhelp_text = f"Bad {1}"\nlabel = "fine"\n'
    assert len(list(unmarked(source))) == 2


def test_texts_are_marked_by_names_that_gettext_looks_for() -> None:
    """``gettext as _t`` would leave what it marks out of the catalogue, and no other test would see that."""
    known = {
        "gettext",
        "gettext_lazy",
        "gettext_noop",
        "ngettext",
        "ngettext_lazy",
        "pgettext",
        "pgettext_lazy",
    }
    found = [
        f"{path.relative_to(PROJECT)}: {one.name} as {one.asname}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for one in node.names
        if one.name in known and one.asname not in (None, "_", *known)
    ]
    assert found == []


def test_sources_of_pages_say_nothing_untranslated() -> None:
    found = {
        str(path.relative_to(PROJECT)): texts
        for path in _sources()
        if (texts := list(unmarked(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def _sources() -> Iterator[Path]:
    for app in OWN:
        for path in sorted((PROJECT / app).rglob("*.py")):
            if "migrations" not in path.parts and _CONSOLE.search(f"/{path.relative_to(PROJECT).as_posix()}"):
                yield path
