"""Kill a backup or a restore (SIGKILL) at each of its steps, or at some of them, and look at what is left.

    python -m tests.ops.backups.killing backup|restore FOLDER STEPS

A step is the opening of a file to write, a sync, a linking, renaming or removal, or the start of a process.
STEPS says how many of them are tried, spread over all; 0 tries every one. Wants AFN_DATABASE_FILE,
AFN_BACKUPS_DIR and AFN_ENVIRONMENTS_DIR in FOLDER. Prints {"steps", "tried", "wrong"} as JSON.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

EVENTS = {"os.rename", "os.link", "os.remove", "os.chmod", "os.rmdir", "os.mkdir", "subprocess.Popen"}
_left = _counted = 0


def step() -> None:
    global _left, _counted
    _counted += 1
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
    if event == "c_call" and function.__name__ == "fsync":
        step()


def forked(work: Callable[[], Any], steps: int = 0) -> int:
    """Do it in a process of its own, killed after so many steps: its exit code, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    global _left
    _left = steps
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if steps:
        sys.addaudithook(on_event)
        sys.setprofile(on_call)
    try:
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - the process ends with it
        print(f"{type(error).__name__}: {error}", file=sys.stdout, flush=True)
        os._exit(1)


def count_steps(work: Callable[[], Any]) -> int:
    read, write = os.pipe()

    def counted() -> None:
        global _left
        _left = 10**9
        sys.addaudithook(on_event)
        sys.setprofile(on_call)
        work()
        sys.setprofile(None)
        os.write(write, str(_counted).encode())

    assert forked(counted) == 0
    return int(os.read(read, 20))


class Place:
    """The folder as it was before, which is put back after each kill."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, folder.with_name(f"{folder.name}-before")
        shutil.copytree(folder, self.before)

    def reset(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.before, self.folder)


def main(what: str, folder: Path, steps: int) -> None:
    from ops.backups import folder as backups
    from ops.backups.making import back_up
    from ops.backups.restoring import restore
    from ops.backups.unpacking import unpack
    from ops.environments.current import get_provider
    from prompts.models import User

    def add(name: str) -> None:
        User.objects.create(username=name, email=f"{name}@example.com")

    def users() -> set[str]:
        return set(User.objects.values_list("username", flat=True))

    def back_up_again() -> None:
        back_up(get_provider())

    def restore_first() -> None:
        restore(get_provider(), backups.stored()[-1].path)

    def check_backups() -> None:
        """Whatever has the name of a backup is whole; the next one clears up and succeeds."""
        for one in backups.stored():
            unpack(one.path)
        back_up(get_provider())
        assert not list(backups.folder().glob(".staging-*")), "a staging folder is left"
        assert users() == {"old", "new"}

    def check_database() -> None:
        """The old database or the new one, whole and open for writing, and the next restore succeeds."""
        from django.db import connection

        assert users() in ({"old"}, {"old", "new"}), users()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            assert cursor.fetchall() == [("ok",)]
        if Path(f"{connection.settings_dict['NAME']}.frozen").exists():
            get_provider().unfreeze(get_provider().current)
        add("written")
        connection.close()
        restore_first()
        assert users() == {"old"}
        left = [one.name for one in get_provider().list() if one.name.startswith("restore-")]
        assert not left, left

    assert forked(lambda: (User.objects.all().delete(), add("old"), back_up_again(), add("new"))) == 0
    work, check = {"backup": (back_up_again, check_backups), "restore": (restore_first, check_database)}[what]
    place = Place(folder)
    total = count_steps(work)
    place.reset()
    tried = range(1, total + 1) if not steps else {1 + (total - 1) * at // (steps - 1) for at in range(steps)}
    wrong = []
    for at in sorted(tried):
        # Now and then there is a step less than when they were counted.
        if forked(work, at) != -signal.SIGKILL and at < total - 1:
            wrong.append(f"step {at} of {total} was not reached")
        if forked(check):
            wrong.append(f"step {at} of {total}")
        place.reset()
    print(json.dumps({"steps": total, "tried": len(tried), "wrong": wrong}))


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
