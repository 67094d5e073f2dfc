"""Messages for Slack and Discord: of the form and within the bounds that they document, and inert."""

import json
from typing import Any

import pytest
from django.utils import timezone

from ops.outbox.models import OutboxEvent
from ops.webhooks.formats import body_of
from ops.webhooks.saving import KINDS
from ops.webhooks.wording import title

HOSTILE = (
    "<!channel> <@U1> <https://evil.example|ok> & *bold* _it_ `code` ~s~ @everyone "
    "[a](https://evil.example) ||x||"
)


def event(kind: str = "label.moved", **values: Any) -> OutboxEvent:
    data = {"label": "production", "from": None, "to": 3, "reason": HOSTILE}
    known = {"prompt_id": "a" * 32, "prompt_name": "support/greeting", "actor_name": "aoi", "data": data}
    return OutboxEvent(kind=kind, happened_at=timezone.now(), **known | values)


def message(made: OutboxEvent, format: str) -> Any:
    return json.loads(body_of(made, format))


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_slack_gets_plain_text_with_its_control_characters_replaced():
    made = message(event(), "slack")
    assert made["text"] == "A label moved: support/greeting"
    assert made["mrkdwn"] is False
    header, section = made["blocks"]
    assert (header["type"], header["text"]["text"]) == ("header", "A label moved")
    assert all(one["type"] == "plain_text" and not one["emoji"] for one in section["fields"])
    assert section["fields"][1]["text"] == "versions: none → v3"
    assert not [text for text in texts(made) if "<" in text or ">" in text]
    assert any("&lt;!channel&gt;" in text and "&amp;" in text for text in texts(made))


def test_discord_gets_escaped_text_and_mentions_nobody():
    made = message(event(prompt_name="a*b_c"), "discord")
    assert made["allowed_mentions"] == {"parse": []}
    (embed,) = made["embeds"]
    assert embed["title"] == r"a\*b\_c"
    values = " ".join(field["value"] for field in embed["fields"])
    assert r"\@everyone" in values
    assert r"\*bold\*" in values
    assert r"\[a\]\(https\:" in values


@pytest.mark.parametrize("kind", [*KINDS, "ping", "kind.to_come"])
@pytest.mark.parametrize("filler", ["&<>*", "猫", "x\n"])
def test_messages_stay_within_the_bounds(kind: str, filler: str):
    long = filler * 3_000
    data = dict.fromkeys(("label", "reason", "status", "message"), long) | {"version": 9, "score": 0.5}
    made = event(kind, prompt_name=long[:255], actor_name=long[:255], data=data)
    slack, discord = message(made, "slack"), message(made, "discord")
    assert slack["blocks"][0]["text"]["text"]
    assert len(slack["blocks"][0]["text"]["text"]) <= 150
    assert len(slack["blocks"][1]["fields"]) <= 10
    assert all(len(one["text"]) <= 2_000 for one in slack["blocks"][1]["fields"])
    assert len(discord["content"]) <= 2_000
    (embed,) = discord["embeds"]
    assert len(embed["title"]) <= 256
    assert all(0 < len(one["value"]) <= 1_024 and len(one["name"]) <= 256 for one in embed["fields"])
    parts = [embed["title"], *(one["name"] + one["value"] for one in embed["fields"])]
    assert sum(map(len, parts)) <= 6_000


def test_every_kind_has_words():
    assert not [kind for kind in KINDS if title(event(kind)) == kind]
