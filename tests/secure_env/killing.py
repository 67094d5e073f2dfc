"""Run a change of encrypted files again and again, each time killed (SIGKILL) one step further on.

    python -m tests.secure_env.killing FOLDER CHANGE

A step is the opening of a file to write, a write, a sync, a renaming or a removal. After each kill the file
has to open with the key that is named by then, and the same command has to do its work when it is run again.
Prints how many kills there were, and what went wrong.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from afn_project.secure_env import changing, sealing
from afn_project.secure_env.keys import FileStore, Store, VariableStore
from afn_project.secure_env.reading import open_encrypted

TEXT = "SECRET_KEY=canary-7d1f\n"
CALLS = {"write", "flush", "fsync", "fchmod"}
EVENTS = {"os.rename", "os.remove", "os.chmod"}
MOST = 200
_left = MOST


def step() -> None:
    global _left
    _left -= 1
    if not _left:
        os.kill(os.getpid(), signal.SIGKILL)


def on_event(event: str, arguments: tuple[Any, ...]) -> None:
    is_writing = (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    )
    if is_writing or event in EVENTS:
        step()


def on_call(frame: Any, event: str, function: Any) -> None:
    if event == "c_call" and function.__name__ in CALLS:
        step()


def run_killed(change: Callable[[], Any], steps: int) -> bool:
    """Whether it was killed."""
    child = os.fork()
    if child == 0:
        global _left
        _left = steps
        sys.addaudithook(on_event)
        sys.setprofile(on_call)
        change()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status != 0


class Place:
    """A folder with its key file, made anew for each kill."""

    def __init__(self, folder: Path) -> None:
        self.root, self.folder = folder, folder / "checkout"
        self.store = FileStore(folder / "env-key")
        self.other = FileStore(folder / "other-key")

    def reset(self, *, encrypted: bool) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / ".env").write_text(TEXT)
        if encrypted:
            changing.encrypt(self.folder, self.store, remove_plain=True)

    def is_readable(self) -> bool:
        """By the environment as it is, or as it is to be after a change of the place of the key."""
        if not (self.folder / ".env.enc").exists():
            return (self.folder / ".env").read_text() == TEXT
        return any(self.opens(store) for store in (self.store, self.other) if store.exists())

    def opens(self, store: Store) -> bool:
        try:
            return open_encrypted(self.folder / ".env.enc", store).text == TEXT
        except sealing.WrongKey:
            return False


def changes(place: Place) -> dict[str, tuple[bool, Callable[[], Any], Callable[[], bool]]]:
    """By name: whether it begins encrypted, the command, and what is to be seen when it was run again."""
    folder, store, other = place.folder, place.store, place.other
    names = lambda: {path.name for path in [*folder.iterdir(), *place.root.iterdir()]} - {"checkout"}  # noqa: E731

    def move() -> None:
        used = other if other.exists() and place.opens(other) else store
        changing.rotate(folder, used, None if used is other else other)

    return {
        "encrypt": (
            False,
            lambda: (
                changing.encrypt(folder, store, remove_plain=(folder / ".env").exists())
                if (folder / ".env").exists()
                else None
            ),
            lambda: place.opens(store) and names() == {".env.enc", "env-key"},
        ),
        "decrypt": (
            True,
            lambda: (
                changing.decrypt(folder, store, remove_encrypted=True)
                if (folder / ".env.enc").exists()
                else None
            ),
            lambda: (folder / ".env").read_text() == TEXT and names() == {".env", "env-key"},
        ),
        "rotate": (
            True,
            lambda: changing.rotate(folder, store),
            lambda: place.opens(VariableStore(store.read()[0])) and names() == {".env.enc", "env-key"},
        ),
        "move": (
            True,
            move,
            lambda: (
                place.opens(VariableStore(other.read()[0]))
                and names() == {".env.enc", "env-key", "other-key"}
            ),
        ),
        "save": (
            True,
            lambda: changing.save(folder, TEXT, store.read()[0]),
            lambda: place.opens(store) and names() == {".env.enc", "env-key"},
        ),
    }


def main(folder: str, name: str) -> None:
    sealing.USUAL = sealing.LOWEST = sealing.Cost(2**10, 8, 1)  # type: ignore[misc]
    place = Place(Path(folder))
    encrypted, change, is_done = changes(place)[name]
    wrong: list[str] = []
    for steps in range(1, MOST):
        place.reset(encrypted=encrypted)
        killed = run_killed(change, steps)
        if not place.is_readable():
            wrong.append(f"unreadable after step {steps}")
            continue
        if killed:
            change()
        if not is_done() or not place.is_readable():
            wrong.append(f"not done when run again after step {steps}")
        if not killed:
            break
    print(json.dumps({"kills": steps - 1, "wrong": wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
