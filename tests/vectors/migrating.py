"""What the tests of migrations share, and a process that one of them can kill.

python -m tests.vectors.migrating FILE migrate_embeddings notes …    runs a command
python -m tests.vectors.migrating FILE search | write                goes on until stdin ends, then reports
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

EMBEDDERS = {
    "fake": "tests.vectors.fakes.FakeEmbedder",
    "other": "tests.vectors.fakes.OtherEmbedder",
    "synonyms": "tests.vectors.fakes.SynonymEmbedder",
}
PROJECT = Path(__file__).resolve().parents[2]


def begin(file: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A process of its own on a database file."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.vectors.migrating", file, *arguments],
        cwd=PROJECT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def report_of(process: subprocess.Popen[str]) -> Any:
    """End a process that goes on until then, and what it reports."""
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return json.loads(said)


def main(file: str, *arguments: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.AFN_EMBEDDERS, settings.AFN_EMBEDDER = EMBEDDERS, "fake"
    settings.DATABASES["default"]["NAME"] = file
    django.setup()
    if arguments[0] == "migrate_embeddings":
        from django.core.management import call_command

        call_command(*arguments)
        return
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    print(json.dumps({"search": search, "write": write}[arguments[0]](is_over)))


def search(is_over: threading.Event) -> dict[str, Any]:
    """Look for texts by name: each must be the first answer to itself, in whichever space."""
    from vectors.search import search

    wrong, at = [], 0
    strategies = ("auto", "exact", "quantised")
    while not is_over.is_set():
        number = at % 300
        found = search(
            "notes", f"alpha{number} beta{number}", k=3, mode="semantic", strategy=strategies[at % 3]
        )
        best = found.hits[0]
        if best.key != f"k{number}" or not -1e-5 < (best.distance or 0) < 1e-5 or len(found.hits) != 3:
            wrong.append([number, best.key, best.distance])
        at += 1
    return {"searched": at, "wrong": wrong}


def write(is_over: threading.Event) -> dict[str, str | None]:
    """Upsert and delete, through a collection that was read once; what there has to be at the end, by key."""
    from vectors import store
    from vectors.store import Item

    collection, expected, at = store.get_collection("notes"), dict[str, str | None](), 0
    while not is_over.is_set():
        key = f"w{at % 40}"
        if at % 7 == 6:
            store.delete(collection, [key])
            expected[key] = None
        else:
            store.upsert(collection, [Item(key, f"gamma{at} delta{at}", metadata={"at": at})])
            expected[key] = f"gamma{at} delta{at}"
        at += 1
    return expected


if __name__ == "__main__":
    main(*sys.argv[1:])
