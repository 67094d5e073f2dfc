"""Real workers, schedulers and servers that die or are not there: a job is done all the same, and once."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from shutil import copy
from typing import Any

import psutil
import pytest

from afn_project.env import BASE_DIR
from afn_project.libsql import dbapi
from tests.processes import clean_environment, manage, wait_for, website
from tests.servers import Server, redis_server

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.ops.jobs.settings", "AFN_EMBEDDER": "wordllama"}
KEY = {"SECRET_KEY": "k" * 50}


class Place:
    """A database file, and what its processes and jobs write."""

    def __init__(self, folder: Path, migrated: Path, **variables: str) -> None:
        self.folder, self.file = folder, folder / "afn.db"
        copy(migrated, self.file)
        self.variables = SETTINGS | {"AFN_DATABASE_FILE": str(self.file)} | variables

    def ask(self, statement: str) -> list[Any]:
        connection = dbapi.connect(str(self.file))
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            rows = list(cursor.fetchall())
            connection.commit()
            return rows
        finally:
            connection.close()

    def jobs(self) -> list[Any]:
        return self.ask("SELECT state, attempts, cause, done FROM jobs ORDER BY created_at, id")

    def said(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().split() if path.exists() else []

    def shell(self, code: str) -> str:
        done = manage("shell", "--no-imports", "-c", code, **self.variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, *, silent: bool = False) -> float:
        """Have a job wait for the file `name`; returns how many seconds the call took."""
        arguments = {"log": str(self.folder / f"{name}.log"), "until": str(self.folder / name)}
        arguments |= {"silent": silent}
        code = f"import time\nfrom ops import jobs\nat = time.monotonic()\njobs.start('wait', {arguments})\n"
        return float(self.shell(code + "print(time.monotonic() - at)"))

    @contextmanager
    def celery(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "afn_project.celery",
            *arguments,
            "--loglevel",
            "INFO",
        ]
        with (self.folder / name).open("w") as log:
            process = subprocess.Popen(
                command, cwd=BASE_DIR, env=clean_environment(**KEY, **self.variables), stdout=log, stderr=log
            )
            try:
                yield process
            finally:
                kill(process)

    def worker(self, name: str) -> Any:
        return self.celery(name, "worker", "--concurrency", "1", "--hostname", f"{name}@test")

    def beat(self, name: str) -> Any:
        return self.celery(name, "beat", "--pidfile=")


def kill(process: subprocess.Popen[bytes]) -> None:
    """As a machine dies: at once, with all that it has started."""
    if process.poll() is None:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path) -> Callable[..., Place]:
    return lambda **variables: Place(tmp_path, migrated_file, **variables)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.mark.redis
def test_a_job_outlives_its_worker_and_its_broker(place: Callable[..., Place], redis: Server) -> None:
    here = place(REDIS_URL=redis.url)
    here.ask("UPDATE django_celery_beat_intervalschedule SET every = 1 WHERE every = 10")
    with here.beat("beat.txt"), here.worker("first.txt") as first:
        here.start("a", silent=True)
        assert wait_for(lambda: here.said("a.log")) == ["begun"]
        [(held_at_first,)] = here.ask("SELECT lease_until FROM jobs")
        # It goes on being held, by a process that is alive, for twice as long as it was held at first.
        held_for = "SELECT unixepoch(lease_until) - unixepoch(?) FROM jobs".replace("?", f"'{held_at_first}'")
        assert wait_for(lambda: here.ask(held_for)[0][0] >= 4)
        kill(first)
        (state, attempts, _, _) = here.jobs()[0]
        assert (state, attempts) == ("running", 1)
        with here.worker("second.txt"):
            assert wait_for(lambda: here.said("a.log") == ["begun", "begun"])
            assert here.jobs()[0][2] == "the worker died or gave no sign for 2 s"
            (here.folder / "a").touch()
            assert wait_for(lambda: here.jobs()[0][:2] == ("succeeded", 2))
            assert here.said("a.log") == ["begun", "begun", "done"]

            redis.kill()
            assert here.start("b") < 2  # refused at once: Celery itself would go on trying for 19 s
            assert here.jobs()[1][0] == "waiting"
            redis.start()
            assert wait_for(lambda: here.said("b.log")) == ["begun"]
            assert wait_for(
                lambda: here.ask("SELECT message FROM jobs WHERE state = 'running'") == [("turns",)]
            )
            listed = json.loads(
                manage("jobs", "list", "--state", "running", "--json", **here.variables).stdout
            )
            manage("jobs", "cancel", listed["id"], **here.variables)
            assert wait_for(lambda: here.jobs()[1][0] == "cancelled")
            (here.folder / "b").touch()
            manage("jobs", "retry", listed["id"], **here.variables)
            assert wait_for(lambda: here.jobs()[1][:2] == ("succeeded", 2))
            assert here.said("b.log") == ["begun", "begun", "done"]


@pytest.mark.redis
def test_of_two_schedulers_one_works_and_the_other_takes_over(
    place: Callable[..., Place], redis: Server
) -> None:
    here = place(REDIS_URL=redis.url)
    here.ask("DELETE FROM django_celery_beat_periodictask")
    here.shell(
        "from django_celery_beat.models import *\n"
        "every = IntervalSchedule.objects.create(every=1, period='seconds')\n"
        "PeriodicTask.objects.create(name='Each second', interval=every, task='ops.tasks.start_job',"
        ' kwargs=\'{"kind": "note"}\')'
    )
    with here.beat("one.txt") as one:
        assert wait_for(lambda: len(here.jobs()) >= 2)
        with here.beat("two.txt"):
            assert wait_for(lambda: "waiting" in (here.folder / "two.txt").read_text())
            assert wait_for(lambda: len(here.jobs()) >= 6)
            slots = [slot for (slot,) in here.ask("SELECT slot FROM jobs ORDER BY created_at")]
            moments = [
                float(at)
                for (at,) in here.ask("SELECT unixepoch(created_at, 'subsec') FROM jobs ORDER BY created_at")
            ]
            assert len(set(slots)) == len(slots)
            assert min(b - a for a, b in pairwise(moments)) > 0.5  # nobody beside the first
            kill(one)
            before, died = len(here.jobs()), time.monotonic()
            assert wait_for(lambda: len(here.jobs()) > before + 1)
            assert time.monotonic() - died < 30
            assert (here.folder / "two.txt").read_text().count("waiting") == 1


def test_without_redis_a_website_does_what_waits_and_what_recurs(place: Callable[..., Place]) -> None:
    here = place()
    here.start("a")  # by a command, which ends
    assert here.jobs()[0][0] == "waiting"
    with website(here.folder / "web.txt", **here.variables, AFN_SCHEDULE="1"):
        assert wait_for(lambda: here.said("a.log")) == ["begun"]
        (here.folder / "a").touch()
        assert wait_for(lambda: here.jobs()[0][0] == "succeeded")
        runs = "SELECT count(*) FROM django_celery_beat_periodictask WHERE total_run_count > 0"
        assert wait_for(lambda: here.ask(runs)[0][0] >= 2)
        [(holder,)] = here.ask("SELECT holder FROM scheduler_leases")
        assert psutil.pid_exists(int(holder.split()[1]))


@pytest.mark.redis
def test_a_queue_that_stands_still_holds_nobody_up(place: Callable[..., Place], redis: Server) -> None:
    here = place(REDIS_URL=redis.url)
    with redis.paused():
        assert here.start("a") < 1.0  # several time-outs of 0.2 s would be more
    assert here.ask("SELECT state, queued_at FROM jobs") == [("waiting", None)]
