"""A Redis that takes connections and answers nothing, as on a machine that is out of memory."""

import time

import pytest

from tests.processes import manage, wait_for, worker

from .conftest import Place, Site

pytestmark = pytest.mark.redis


def create(site: Site, number: int) -> int:
    content = f"Tell me about the moon, number {number}."
    body = {"name": f"moon/{number}", "title": f"Moon {number}", "content": content}
    return site.call("POST", "/prompts", body).status


def test_saving_waits_for_it_once_and_briefly(together: Place) -> None:
    site = together.add_site()
    assert create(site, 0) == 201
    assert together.redis is not None
    with together.redis.paused():
        began = time.monotonic()
        for number in range(1, 11):
            assert create(site, number) == 201
        took = time.monotonic() - began
        assert site.get("/prompts/moon/10").status == 200
    # Each save has two things to tell, and each try waits for a time-out: nobody tries for five seconds after
    # one (`prompts.queueing`).
    tries = (together.folder / "site-0.log").read_text().count("no worker could be told")
    assert 1 <= tries <= 2 + took / 5


def test_what_no_worker_was_told_of_is_found_later(together: Place) -> None:
    site = together.add_site()
    assert together.redis is not None
    with together.redis.paused():
        assert create(site, 1) == 201

    def found() -> bool:
        answer = site.get("/search?q=moon&mode=semantic")
        return answer.status == 200 and bool(answer.json["results"])

    assert not found()
    with worker(together.folder / "worker.log", together.variables):
        script = "from prompts.tasks import catch_up; catch_up.delay()"
        assert manage("shell", "-v", "0", "-c", script, **together.variables).returncode == 0
        assert wait_for(found)
