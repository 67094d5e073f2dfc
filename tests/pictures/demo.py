"""A registry with a life, for the pictures: the bundled samples, and one prompt that people work on."""

import json
import math
import random
import time
import urllib.parse
from typing import Any

from tests.browser.conftest import Console
from tests.processes import manage

REPLY = "support/reply"
GREETING = "support/greeting"
_SHOP = "You answer customers of {{shop}}"
_MESSAGE = "\n\nThe customer writes:\n{{message}}\n\n"
_VERSIONS = (
    (f"{_SHOP}.{_MESSAGE}Be polite. Say sorry once. Offer a refund.", ""),
    (
        f"{_SHOP} by e-mail.{_MESSAGE}Be polite. Say sorry once, and say what happens next.",
        "Say what happens next",
    ),
    (
        f"{_SHOP} by e-mail, in {{{{language}}}}.{_MESSAGE}Be polite and brief. Say sorry once, and say what "
        "happens next.",
        "In the customer's language",
    ),
    (
        f"{_SHOP} by e-mail, in {{{{language}}}}.{_MESSAGE}Be warm and brief. Say sorry once. Say what "
        "happens next, and by when.\nNever promise a refund of more than {{limit}}.",
        "A limit for refunds",
    ),
)
OF_PROMPTS = {"collection": "prompts"}
# Somebody works on a prompt in a fork.
_EDIT = """
from prompts.models import Prompt
prompt = Prompt.objects.get(name="support/refuse")
prompt.content = prompt.content.replace("kindly", "kindly and say why")
prompt.save(index=False)
"""
SAMPLES = {"shop": "Kōji Coffee", "language": "English", "message": "My cup came broken.", "limit": "20 €"}
_RIGHT = (12, 18, 24, 33)  # of so many items
_ITEMS = 40
_QUERIES = (
    "polite e-mail",
    "要約",
    "rewrite a resume",
    "review my code",
    "翻訳",
    "angry customer",
    "meeting notes",
)


def fill(site: Console) -> dict[str, str]:
    """The ids that pages are made of."""
    first, *others = _VERSIONS
    reply = site.make_prompt(REPLY, first[0], tags=["support", "email"], language="en", status="active")
    site.call("PATCH", f"/prompts/{reply['id']}", {"title": "Reply to an unhappy customer"})
    for content, message in others:
        site.call("POST", f"/prompts/{REPLY}/versions", {"content": content, "message": message})
    for version, label in ((1, "production"), (2, "production"), (3, "production"), (4, "staging")):
        site.call("PUT", f"/prompts/{REPLY}/labels/{label}", {"version": version})
    site.make_prompt("shared/tone", "Write plainly and kindly.", status="active")
    refuse = "@@@prompt:name=shared/tone|label=latest@@@\nRefuse the refund of {{order}} kindly."
    site.make_prompt("support/refuse", refuse, status="active")
    _evaluate(site)
    greeting = _split(site)
    return {"reply": reply["id"], "greeting": greeting["id"], "run": _newest_run(site)}


def _evaluate(site: Console) -> None:
    site.call("POST", "/datasets", {"name": "complaints", "description": "Real complaints, made anonymous"})
    items = [
        {
            "key": f"c{at:02}",
            "variables": {"shop": "Kōji Coffee", "message": f"Order {at} came broken."},
            "expected": f"sorry about order {at}",
        }
        for at in range(_ITEMS)
    ]
    site.call("PUT", "/datasets/complaints/items", {"items": items})
    for version, right in enumerate(_RIGHT, start=1):
        metrics = [{"type": "exact_match"}, {"type": "contains"}]
        run = site.call(
            "POST",
            "/runs",
            {
                "prompt": REPLY,
                "version": version,
                "dataset": "complaints",
                "metrics": metrics,
                "name": f"Night {version}",
            },
        )
        outputs = [f"sorry about order {at}" if at < right else "We cannot help you." for at in range(_ITEMS)]
        results = [{"item": f"c{at:02}", "output": output} for at, output in enumerate(outputs)]
        site.call("POST", f"/runs/{run['id']}/results", {"results": results})


def _newest_run(site: Console) -> str:
    return str(site.call("GET", "/runs?limit=1")["items"][0]["id"])


def _split(site: Console) -> Any:
    greeting = site.make_prompt(GREETING, "Greet {{name}}.", status="active")
    site.call("POST", f"/prompts/{GREETING}/versions", {"content": "Greet {{name}} warmly."})
    site.call("PUT", f"/prompts/{GREETING}/labels/production", {"version": 1})
    return greeting


def traffic(site: Console, seconds: float) -> None:
    """What applications and people ask for, now more and now less."""
    chance, end = random.Random(7), time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(4):
            site.call("GET", f"/prompts/{REPLY}?label=production")
        site.call("GET", f"/search?q={urllib.parse.quote(chance.choice(_QUERIES))}")
        time.sleep(chance.expovariate(3 + 2 * math.sin(time.monotonic() / 60)))


def operate(site: Console) -> None:
    """What an operator does: proved backups, a fork that differs, and measures."""
    for arguments in (
        ("backup_database",),
        ("drill_backup",),
        ("environments", "fork", "prod", "feature-x"),
        ("evaluate_search", "prompts"),
        ("tune_vectors", "prompts"),
    ):
        site.manage(*arguments)
    feature = {**site.variables, "AFN_ENVIRONMENT": "feature-x"}
    for command in (("move_label", REPLY, "production", "4"), ("shell", "-v", "0", "-c", _EDIT)):
        done = manage(*command, **feature)
        assert done.returncode == 0, done.stderr
    for kind, arguments in (("embed_prompts", {}), ("rebuild_index", OF_PROMPTS), ("clean_up", {})):
        site.manage("jobs", "run", kind, "--arguments", json.dumps(arguments))
