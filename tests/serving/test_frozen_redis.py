"""A Redis that takes connections and answers nothing, as on a machine that is out of memory."""

import time
from collections.abc import Callable

import pytest

from tests.processes import manage, wait_for, worker

from .conftest import Place, Site

pytestmark = pytest.mark.redis


def create(site: Site, number: int) -> int:
    content = f"Tell me about the moon, number {number}."
    body = {"name": f"moon/{number}", "title": f"Moon {number}", "content": content}
    return site.call("POST", "/prompts", body).status


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_saving_waits_for_it_once_and_briefly(together: Place) -> None:
    site = together.add_site()
    assert create(site, 0) == 201
    assert together.redis is not None
    with together.redis.paused():
        took = [seconds(lambda number=number: create(site, number)) for number in range(1, 6)]  # type: ignore[misc]
        assert site.get("/prompts/moon/5").status == 200
    assert max(took) < 3  # it was twelve seconds, each time
    assert sorted(took)[2] < 0.6  # most do not try


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
