"""A run that a real Celery worker works off, over HTTP, with a service that fails now and then."""

import json
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.processes import manage, wait_for, worker
from tests.servers import redis_server
from tests.serving.conftest import make_place

from .chat_server import chat_server

COUNT = 120
ITEMS = [
    {"key": f"q{number:03}", "variables": {"question": str(number)}, "expected": "yes"}
    for number in range(COUNT)
]


@pytest.mark.redis
def test_what_a_killed_worker_left_is_done_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        model = stack.enter_context(chat_server())
        model.answers = ["yes", 500, "yes", "no", "yes"]
        model.waits_at = COUNT // 2
        (tmp_path / "redis").mkdir()
        redis = stack.enter_context(redis_server(tmp_path / "redis"))
        place = make_place(
            tmp_path,
            stack,
            REDIS_URL=redis.url,
            AFN_LLM_API_KEY="canary-key",
            AFN_LLM_BASE_URL=model.url,
            AFN_LLM_PRICES=json.dumps({"m": [1, 1]}),
            AFN_OUTGOING_ALLOWED=model.url.removeprefix("http://").removesuffix("/v1"),
        )
        site = place.add_site()
        site.call("POST", "/prompts", {"name": "p", "title": "P", "content": "Answer {{question}}"})
        site.call("POST", "/datasets", {"name": "d"})
        assert site.call("PUT", "/datasets/d/items", {"items": ITEMS}).status == 200
        asked = {
            "prompt": "p",
            "dataset": "d",
            "model": "m",
            "budget": 1,
            "metrics": [{"type": "exact_match"}],
        }
        made = site.call("POST", "/runs", asked)
        assert made.status == 201, made.body
        path = f"/runs/{made.json['id']}"
        with worker(tmp_path / "first.log", place.variables):
            assert wait_for(lambda: len(model.requests) == model.waits_at)
            for process in psutil.process_iter(["cmdline"]):
                if "celery" in (process.info["cmdline"] or []) and str(place.folder) in str(
                    process.environ()
                ):
                    process.kill()
        model.go.set()
        left = site.get(path).json
        assert (left["status"], left["done"] < COUNT) == ("running", True)
        # What the dead worker had claimed is free once its lease is over.
        place.sql("UPDATE evaluation_runs SET claimed_until = NULL")
        done = manage("run_evaluations", "--json", **place.variables)
        assert json.loads(done.stdout) == {
            "id": left["id"],
            "status": "done",
            "done": COUNT,
            "total": COUNT,
            "problem": "",
        }
        scores = [
            one["scores"][""]
            for page in (0, 100)
            for one in site.get(f"{path}/results?limit=100&offset={page}").json["items"]
        ]
        assert (len(scores), scores.count(0)) == (COUNT, 1)
        assert site.get(path).json["cost"] == pytest.approx(COUNT * 0.0015)
        assert "canary" not in (tmp_path / "first.log").read_text()
