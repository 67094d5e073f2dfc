"""A site and a worker over TLS, each as its own user: all that they send is allowed, and no pickle is run."""

import base64
import json
import pickle
import subprocess
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.processes import manage, wait_for, worker
from tests.serving.conftest import Site, make_place

from .conftest import Secured, secured_redis

pytestmark = pytest.mark.redis
# What the web server's process may ask of workers and of its cache.
TELL = """
import json
from afn_project.celery import app
from django.core.cache import cache
from ops.tasks import deliver_events
found = {"pong": app.control.ping(timeout=1), "active": app.control.inspect(timeout=1).active()}
late = deliver_events.apply_async(countdown=60)
app.control.revoke(late.id)
found["revoked"] = [ids for ids in app.control.inspect(timeout=1).revoked().values() if late.id in ids]
cache.set("a", {"b": [1, None, "ü"]}, 5)
found["cached"] = [cache.get("a"), cache.add("a", 1, 5), cache.touch("a", 9), cache.delete("a")]
cache.set_many({"n": 1, "m": 2}, 5)
found["many"] = [cache.incr("n"), cache.get_many(["n", "m"]), "n" in cache, cache.delete_many(["n", "m"])]
with cache.lock("once", timeout=3):
    pass
print(json.dumps(found))
"""


class Bomb:
    """Touches a file where it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


def test_site_and_worker_have_all_the_rights_they_need(tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(secured_redis(tmp_path, tls=True))
        place = make_place(
            tmp_path,
            stack,
            REDIS_URL=redis.url("app"),
            AFN_RATE_LIMIT="1000/min",
            AFN_SESSIONS="cached_db",
        )
        for_worker = place.variables | {"REDIS_URL": redis.url("worker")}
        site = place.add_site()
        log = tmp_path / "worker.log"
        with worker(log, for_worker):
            site.call("POST", "/prompts", {"name": "a/b", "title": "Fox", "content": "A red fox"})
            assert wait_for(lambda: is_found(site))
            assert [site.get("/prompts/a/b").status for _ in range(3)] == [200] * 3
            check_told(manage("shell", "-v", "0", "-c", TELL, **place.variables))
            canary = tmp_path / "canary"
            enqueue_pickle(redis, canary)
            assert wait_for(lambda: "Refusing to deserialize" in log.read_text(), 20)
        assert not canary.exists()
        with redis.client("observer") as observer:
            assert observer.acl_log() == []
            waiting = observer.lrange("celery", 0, -1) + list(observer.hgetall("unacked").values())
            assert [message for message in waiting if "python-serialize" in message] == []
        assert all(password not in log.read_text() for password in redis.passwords.values() if password)


def is_found(site: Site) -> bool:
    answer = site.get("/search?q=fox&mode=semantic")
    return answer.status == 200 and bool(answer.json["results"])


def check_told(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [list(one.values()) for one in found["pong"]] == [[{"ok": "pong"}]]
    assert len(found["active"]) == len(found["revoked"]) == 1
    assert found["cached"] == [{"b": [1, None, "ü"]}, False, True, True]
    assert found["many"] == [2, {"n": 2, "m": 2}, True, 2]


def enqueue_pickle(redis: Secured, canary: Path) -> None:
    """As somebody does who has got hold of the web server's password."""
    body = base64.b64encode(pickle.dumps([[Bomb(canary)], {}, {}])).decode()
    task = str(uuid.uuid4())
    message = {
        "body": body,
        "content-type": "application/x-python-serialize",
        "content-encoding": "binary",
        "headers": {"id": task, "task": "ops.tasks.deliver_events", "lang": "py", "root_id": task},
        "properties": {
            "body_encoding": "base64",
            "correlation_id": task,
            "delivery_info": {"exchange": "", "routing_key": "celery"},
            "delivery_tag": task,
            "priority": 0,
        },
    }
    with redis.client("app") as client:
        client.lpush("celery", json.dumps(message))


def test_a_pickle_in_the_cache_is_never_loaded(secured: Secured, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with secured.client("app") as client:
        client.set("afn:1:poisoned", pickle.dumps(Bomb(canary)), ex=60)
    script = """
from django.core.cache import cache
try:
    print(cache.get("poisoned"))
except ValueError as error:
    print("refused", type(error).__name__)
"""
    done = manage("shell", "-v", "0", "-c", script, REDIS_URL=secured.url("app"))
    assert done.stdout.startswith("refused"), done.stderr
    assert not canary.exists()
    pickle.loads(pickle.dumps(Bomb(canary)))  # it would have
    assert canary.exists()
