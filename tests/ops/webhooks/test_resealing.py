"""A new SECRET_KEY: what was sealed with the old one is sealed anew, and needs it no more."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from ops.alerts import saving as channels
from ops.alerts.models import AlertChannel
from ops.webhooks.models import Webhook
from ops.webhooks.resealing import reseal
from ops.webhooks.sealing import unseal

from .receiver import Receiver


def opened() -> list[str]:
    sealed = [*Webhook.objects.values_list("sealed_url", "sealed_secret")]
    sealed += AlertChannel.objects.values_list("sealed_url", "sealed_secret")
    return [unseal(text) for row in sealed for text in row if text]


def test_after_it_the_former_key_is_of_no_use(hook: Any, receiver: Receiver, settings: Settings) -> None:
    hook()
    channel = AlertChannel(name="team")
    channels.save_channel(channel, {"kind": "webhook", "url": receiver.url})
    before, old = opened(), settings.SECRET_KEY
    assert receiver.url in before
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [old]
    assert (reseal().rows, reseal().unreadable) == (2, {})
    settings.SECRET_KEY_FALLBACKS = []
    assert opened() == before


def test_what_no_key_opens_is_told_and_stays(hook: Any, settings: Settings) -> None:
    hook("lost")
    lost = Webhook.objects.get().sealed_secret
    settings.SECRET_KEY = "new" * 20
    hook("readable")
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("reseal_secrets", "--json", stdout=out, stderr=errors)
    assert json.loads(out.getvalue()) == {"rows": 1, "unreadable": {"webhook": 1}}
    assert "SECRET_KEY_FALLBACKS" in errors.getvalue()
    assert Webhook.objects.get(name="lost").sealed_secret == lost
