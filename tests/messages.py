"""The Japanese catalogue: what the sources say in English, as gettext finds it, and whether it is translated.

`make messages` brings ``afn_project/locale/ja`` up to date and compiles it. It takes gettext's programs; who
runs AFN needs none, for the compiled catalogue is part of the project. Unfold has no Japanese of its own, so
its messages are in ours, except those that Django has.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from tempfile import TemporaryDirectory

import django
import django_celery_beat
import polib
import unfold

from .servers import PROJECT

CATALOGUE = PROJECT / "afn_project/locale/ja/LC_MESSAGES/django.po"
COMPILED = CATALOGUE.with_suffix(".mo")
OWN = ("afn_project", "ops", "prompts", "templates", "vectors")
# Packages whose pages the console shows, and that speak no Japanese themselves.
FOREIGN = {
    "unfold": Path(unfold.__file__).parent,
    "django_celery_beat": Path(django_celery_beat.__file__).parent,
}
_DJANGO = Path(django.__file__).parent
_HEADER = {
    "Project-Id-Version": "AFN",
    "Language": "ja",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}
_UNUSED = {"contrib", "migrations", "tests", "unfold_crispy"}
_PLACE = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")


def extract(catalogue: Path = CATALOGUE) -> polib.POFile:
    """The catalogue as the sources would have it: with what is new, without what is gone."""
    with TemporaryDirectory() as folder:
        here = Path(folder)
        for name, source in _sources():
            for path in source.rglob("*"):
                if path.suffix in (".py", ".html") and not _UNUSED & set(path.parts):
                    copy = here / name / path.relative_to(source)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
        po = here / "locale/ja/LC_MESSAGES/django.po"
        po.parent.mkdir(parents=True)
        if catalogue.exists():
            shutil.copyfile(catalogue, po)
        # The settings say where catalogues are; here is another place.
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        options = ["--locale", "ja", "--no-obsolete", "--add-location", "file", "--verbosity", "0"]
        command = [sys.executable, "-m", "django", "makemessages", *options]
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"makemessages: {done.stderr[-2_000:]}")
        found = polib.pofile(str(po), wrapwidth=100)
    found.header = "Japanese of AFN's console. `make messages` brings it up to date with the sources."
    found.metadata, found.metadata_is_fuzzy = _HEADER, False
    known = list(_django())
    for entry in list(found):
        is_foreign = all(place.split("/")[0] in FOREIGN for place, _ in entry.occurrences)
        if is_foreign and any(one.gettext(entry.msgid) != entry.msgid for one in known):
            found.remove(entry)
    for entry in found:
        # What a fuzzy one was before; polib writes some of it so that gettext cannot read it.
        entry.previous_msgid = entry.previous_msgid_plural = entry.previous_msgctxt = None
        if entry.msgid_plural:  # of which Japanese has none
            entry.msgstr_plural = {0: entry.msgstr_plural.get(0, "")}
    found.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    return found


def places(text: str) -> list[str]:
    """The names of what is put into a message, in any order."""
    return sorted(one.group() for one in _PLACE.finditer(text.replace("%%", "")))


def update() -> None:
    found = extract()
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    found.save(str(CATALOGUE))
    found.save_as_mofile(str(COMPILED))
    wrong = len(found.untranslated_entries()), len(found.fuzzy_entries())
    print(f"{len(found)} messages, {wrong[0]} not translated, {wrong[1]} fuzzy: {CATALOGUE.name}")


def _sources() -> Iterator[tuple[str, Path]]:
    yield from ((name, PROJECT / name) for name in OWN)
    yield from FOREIGN.items()


def _django() -> Iterator[GNUTranslations]:
    for path in sorted(_DJANGO.glob("**/locale/ja/LC_MESSAGES/django.mo")):
        with path.open("rb") as file:
            yield GNUTranslations(file)


if __name__ == "__main__":
    update()
