"""kill -9 of a Celery worker, or of one of its processes, while it embeds prompts and tells webhooks."""

from __future__ import annotations

import random
import time
from typing import Any, Final

import httpx2

from vectors.progress import track

from .. import catching_up, results
from ..local_http import Receiver, serving
from ..place import Place, opened
from ..processes import Process
from ..results import Options
from ..watching import READY, Watch, is_told
from ..writing import PROMPTS

NAME: Final = "worker-killed"
TARGET: Final = "every task once in effect: each version embedded once and right, each event told"
ROUNDS: Final = 30
_BATCH: Final = 8
_CHANGED: Final = 3
_SETTINGS: Final = {"AFN_READY_NEEDS": "database search workers"}


def run(options: Options) -> dict[str, Any]:
    rng = random.Random(options.seed)  # noqa: S311 - it chooses moments
    with serving(Receiver()) as receiver, opened(AFN_OUTGOING_ALLOWED=receiver.host, **_SETTINGS) as place:
        place.redis()
        place.set_up()
        place.look("add_webhook", url=receiver.url)
        _, address = place.site(workers=1)
        worker, _ = place.worker(), place.beat()
        client = place.client(address)
        made: dict[str, str] = {}
        with Watch(f"{address}{READY}") as watch:
            watch.seconds_until(200, time.monotonic(), within=60.0)
            for number in track(range(options.rounds), NAME, options.rounds, quiet=options.quiet):
                _write(client, rng, number, made)
                time.sleep(rng.uniform(0.0, 1.0))
                _kill(place, worker, rng)
            caught_up = catching_up.wait(place, receiver)
            # Once more, and nobody takes its place until that is told.
            worker.kill()
            red = watch.seconds_until(503, time.monotonic())
            back = time.monotonic()
            place.start_worker(worker)
            green = watch.seconds_until(200, back, within=60.0)
        found, events = place.look("embeddings"), place.look("events")
    problems = catching_up.problems(found, events, receiver, caught_up)
    problems += [] if found["prompts"] == len(made) else [f"{found['prompts']} of {len(made)} prompts"]
    problems += is_told("workers gone", red) + is_told("workers back, with their start", green, extra=30.0)
    measured = {
        **catching_up.measured(found, events, receiver, caught_up),
        "ready_red_seconds": red,
        "ready_green_seconds": green,
    }
    return results.result(NAME, options, TARGET, measured, problems)


def _write(client: httpx2.Client, rng: random.Random, number: int, made: dict[str, str]) -> None:
    """New prompts, and new versions of old ones."""
    for at in range(_BATCH):
        name = f"round-{number}/prompt-{at}"
        body = {
            "name": name,
            "title": name,
            "content": f"Explain fault {number} and what {at} has to do with it.",
        }
        made[name] = client.post(PROMPTS, json=body).raise_for_status().json()["id"]
    for key in rng.sample(sorted(made.values()), min(_CHANGED, len(made))):
        body = {"content": f"Version of round {number}, which {rng.random()} says."}
        client.patch(f"{PROMPTS}/{key}", json=body).raise_for_status()


def _kill(place: Place, worker: Process, rng: random.Random) -> None:
    """One of its processes, which it replaces itself; or all of it, which somebody starts again."""
    children = worker.family()
    if children and rng.random() < 0.5:
        rng.choice(children).kill()
        return
    worker.kill()
    place.start_worker(worker)
