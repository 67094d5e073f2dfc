"""An embedding service that refuses, fails, hangs, and answers what is no answer."""

from __future__ import annotations

import random
import time
from typing import Any, Final

import httpx2

from vectors.progress import track

from .. import catching_up, results
from ..local_http import serving
from ..place import opened
from ..processes import wait_for
from ..provider import FAULTS, Provider
from ..results import Options
from ..watching import READY, Watch
from ..writing import PROMPTS

NAME: Final = "provider"
TARGET: Final = "0 bad vectors stored, tries bounded, the cause shown; all embedded when it works again"
ROUNDS: Final = 1
_PROMPTS: Final = 5
_FAULT_SECONDS: Final = 8.0
_ASKED_SECONDS: Final = 90.0
# Requests a second of one fault: without a pause between tries there would be hundreds.
_MOST_A_SECOND: Final = 10.0


def run(options: Options) -> dict[str, Any]:
    faults = [name for name in FAULTS if name]
    order = [fault for _ in range(options.rounds) for fault in _shuffled(faults, options.seed)]
    asked: dict[str, int] = dict.fromkeys(faults, 0)
    bad: dict[str, Any] = {}
    rates: dict[str, float] = {}
    searches: dict[str, int] = {}
    with serving(Provider()) as provider:
        settings = provider.variables | {"AFN_OUTGOING_ALLOWED": provider.host}
        with opened(**settings) as place:
            place.redis()
            place.set_up()
            _, address = place.site(workers=1)
            place.worker()
            place.beat()
            client = place.client(address)
            _save(client, "before")
            catching_up.wait(place)
            with Watch(f"{address}{READY}", every=0.5) as watch:
                for number, fault in enumerate(track(order, NAME, len(order), quiet=options.quiet)):
                    before, since = provider.asked[fault], time.monotonic()
                    provider.turn(fault)
                    _save(client, f"round-{number}")
                    wait_for(lambda: provider.asked[fault] > before, _ASKED_SECONDS)  # noqa: B023
                    searches[fault] = _search(client)
                    time.sleep(max(0.0, since + _FAULT_SECONDS - time.monotonic()))
                    count = provider.asked[fault] - before
                    asked[fault] += count
                    rates[fault] = count / (time.monotonic() - since)
                    found = place.look("embeddings")
                    if found["wrong"] or found["not_finite"]:
                        bad[fault] = found["wrong"]
                is_shown = watch.has_seen(lambda one: one.parts.get("embedder") == "degraded")
                provider.turn("")
                caught_up = catching_up.wait(place)
                green = watch.seconds_until(200, time.monotonic())
            found = place.look("embeddings")
    problems = [f"{fault}: bad vectors stored, such as {names[:3]}" for fault, names in bad.items()]
    problems += [f"{fault}: never asked" for fault, count in asked.items() if not count]
    problems += [f"{fault}: {rate:.0f} requests/s" for fault, rate in rates.items() if rate > _MOST_A_SECOND]
    problems += [
        f"search answered {status} at {fault}" for fault, status in searches.items() if status == 500
    ]
    problems += [] if is_shown else ["/health/ready never showed the embedder as degraded"]
    problems += results.too_long("all embedded", caught_up, catching_up.SECONDS)
    problems += [f"{found['waiting']} prompts not embedded"] if found["waiting"] else []
    problems += [f"wrong vectors in the end: {found['wrong'][:3]}"] if found["wrong"] else []
    measured = {
        "prompts": found["prompts"],
        "bad_vectors": sum(map(len, bad.values())) + len(found["wrong"]) + found["not_finite"],
        "requests_by_fault": asked,
        "search_status_by_fault": searches,
        "cause_shown": is_shown,
        "all_embedded_seconds": caught_up,
        "ready_green_seconds": green,
    }
    return results.result(NAME, options, TARGET, measured, problems)


def _shuffled(names: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(names, len(names))  # noqa: S311


def _save(client: httpx2.Client, folder: str) -> None:
    for number in range(_PROMPTS):
        name = f"{folder}/prompt-{number}"
        body = {"name": name, "title": name, "content": f"What {folder} says to {{{{whom}}}} about {number}."}
        client.post(PROMPTS, json=body).raise_for_status()


def _search(client: httpx2.Client) -> int:
    """The status of a search by meaning, 0 where none comes in five seconds."""
    try:
        query = {"q": f"at {time.monotonic()}"}
        return client.get("/api/v1/search", params=query, timeout=5.0).status_code
    except httpx2.HTTPError:
        return 0
