"""A registry with many rows, written in bulk by a process of the measured site; prints how to log in."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from importlib import import_module
from itertools import accumulate, product
from typing import Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from ops.audit.models import AuditEntry, Source
from prompts.models import Evaluation, Prompt, PromptVersion, User
from prompts.models.base import new_id
from prompts.models.versioned import hash_content

_BATCH: Final = 2_000
# Words by how often they come, as in texts of people (Zipf's law): the first is in nearly all of them, what
# prompts are about in a few of a hundred, most others hardly anywhere.
_FUNCTION: Final = [
    "the", "to", "and", "of", "a", "in", "is", "for", "you", "that", "with", "as", "it", "be", "on", "are",
    "your", "this", "or", "by", "an", "if", "not", "from", "will", "can", "my", "have", "should", "at",
]  # fmt: skip
_SUBJECTS: Final = [
    "write", "rewrite", "summarise", "resume", "explain", "review", "plan", "draft", "answer", "letter",
    "report", "meeting", "email", "code", "test", "contract", "invoice", "recipe", "要約", "翻訳", "会議",
    "履歴書", "メール", "契約", "説明", "計画", "質問", "回答",
]  # fmt: skip
_SYLLABLES: Final = ["ba", "co", "di", "fu", "ge", "ha", "ki", "lo", "mu", "ne", "po", "ra", "si", "tu", "ve"]
_OTHERS: Final = ["".join(parts) for parts in product(_SYLLABLES, repeat=4)]
_WORDS: Final = _FUNCTION + _OTHERS[:70] + _SUBJECTS + _OTHERS[70:]
_SUMS: Final = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))
_TAGS: Final = ("writing", "code", "support", "sales", "ops", "教育", "法務")


def fill(prompts: int) -> None:
    """As many versions, evaluations and lines of the audit log as prompts."""
    user, now = User.objects.get(is_superuser=True), timezone.now()
    chance = random.Random(7)  # noqa: S311 - the same rows each time
    for start in range(0, prompts, _BATCH):
        batch = [_prompt(number, user, chance) for number in range(start, min(start + _BATCH, prompts))]
        Prompt.objects.bulk_create(batch)
        versions = [_version(prompt, user) for prompt in batch]
        PromptVersion.objects.bulk_create(versions)
        Evaluation.objects.bulk_create(
            Evaluation(prompt_id=one.prompt_id, version_id=one.pk, score=chance.random(), item=one.pk)
            for one in versions
        )
        AuditEntry.objects.bulk_create(_audit(one, now - timedelta(seconds=prompts - start)) for one in batch)


def main(prompts: int) -> None:
    fill(prompts)
    print(json.dumps({"session": _log_in(), "prompt": Prompt.objects.order_by("name")[0].pk}))  # noqa: T201


def _prompt(number: int, user: User, chance: random.Random) -> Prompt:
    words = " ".join(chance.choices(_WORDS, cum_weights=_SUMS, k=60))
    name = f"folder-{number % 200}/prompt-{number}"
    return Prompt(
        id=new_id(), user=user, name=name, title=words[:60], content=f"{words} {{{{text}}}}", status="active",
        language="en" if number % 3 else "ja", tags=chance.sample(_TAGS, 2),
    )  # fmt: skip


def _version(prompt: Prompt, user: User) -> PromptVersion:
    content = prompt.content
    hashed = hash_content(content)
    return PromptVersion(
        id=new_id(), prompt=prompt, version=1, content=content, content_hash=hashed, author=user
    )


def _audit(prompt: Prompt, at: datetime) -> AuditEntry:
    return AuditEntry(
        created_at=at, action="prompt.created", object_type="prompt", object_id=prompt.pk,
        object_name=prompt.name, actor_name=prompt.user.username, source=Source.COMMAND,
    )  # fmt: skip


def _log_in() -> str:
    """A session of the superuser, without a form."""
    user = User.objects.get(is_superuser=True)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
