"""A key that another process has revoked: how long it goes on to work here."""

from typing import Any

import pytest
from django.utils import timezone

from afn_project.key_cache import key_cache
from prompts.models import ApiKey, Prompt, User
from prompts.serving.responses import admitted
from tests.api.conftest import Api, bearer


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.django_db(transaction=True)
def test_it_stops_within_five_seconds_whatever_is_asked_meanwhile(
    user: User, key: tuple[ApiKey, str], monkeypatch: Any
) -> None:
    clock = Clock()
    monkeypatch.setattr(key_cache, "_clock", clock)
    monkeypatch.setattr(admitted, "_clock", clock)
    for name in ("one", "two"):
        Prompt(user=user, name=name, title="T", content=f"Hello {name}").save(index=False)
    api = Api(bearer(key[1]))
    assert api.get("/prompts/one").status_code == 200
    ApiKey.objects.filter(pk=key[0].pk).update(revoked_at=timezone.now())
    clock.now += 2.9  # another prompt, for which the key is remembered
    assert api.get("/prompts/two").status_code == 200
    clock.now += 2.0
    assert api.get("/prompts/one").status_code == 401
    assert api.get("/prompts/two").status_code == 401
