"""What is kept for everybody is read where it is written: a copy may be behind, and the epoch is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import router
from django.utils import timezone

from prompts.api.prompts import find_prompt_named
from prompts.models import Prompt, User
from prompts.serving import bundles, reading


class Behind:
    """All that may be read from a copy is, and there is none."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "nowhere"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


def test_no_part_of_an_answer_is_of_a_copy(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_user("aoi", "aoi@example.com", "x")
    Prompt(user=user, name="tone", title="T", content="Be kind.").save(index=False)
    outer = Prompt(user=user, name="outer", title="T", content="@@@langfusePrompt:name=tone|version=1@@@ Go.")
    outer.save(index=False)
    later = timezone.now() + timedelta(seconds=5)
    monkeypatch.setattr(router, "routers", [Behind()])
    for served in (reading.read("outer"), reading.read("outer", version=1), reading.read("outer", at=later)):
        assert served.compose().template.content == "Be kind. Go."
    assert find_prompt_named("outer") == outer.pk
    assert len(bundles.bundle("latest")["prompts"]) == 2
