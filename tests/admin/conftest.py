"""Somebody who may do everything in the console, and prompts to look at, on an embedder made of words."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from prompts import indexing
from prompts.admin import keeping
from prompts.models import Prompt, User

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """On a busy machine even a short look may take long enough to be kept for the next test."""
    keeping.forget()


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", PASSWORD)


@pytest.fixture
def admin(aoi: User) -> Client:
    client = Client()
    client.force_login(aoi)
    return client


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A client of somebody on the staff who has just these permissions."""

    def log_in(*permissions: str) -> Client:
        user = User.objects.create_user("ben", "ben@example.com", PASSWORD, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def make(aoi: User) -> Callable[..., Prompt]:
    """Save a prompt and index it, as happens after a commit."""

    def prompt(name: str, content: str = "Rewrite the resume.", **fields: Any) -> Prompt:
        made = Prompt(user=aoi, name=name, title=fields.pop("title", name), content=content, **fields)
        made.save(index=False)
        indexing.index([made])
        return made

    return prompt


def form_of(prompt: Prompt | None = None, **values: Any) -> dict[str, Any]:
    """What a browser sends from a prompt's form: line ends as CRLF."""
    return {
        "name": prompt.name if prompt else "writing/resume",
        "title": prompt.title if prompt else "Rewrite a resume",
        "content": (prompt.content if prompt else "One\nTwo\n").replace("\n", "\r\n"),
        "status": prompt.status if prompt else "draft",
        "language": prompt.language if prompt else "en",
        "tags": ", ".join(prompt.tags) if prompt else "career, writing",
        "user": prompt.user_id if prompt else "",
        "metadata": "{}",
        "type": prompt.type if prompt else "text",
        "template_format": prompt.template_format if prompt else "simple",
        "variables": json.dumps(prompt.variables) if prompt else "{}",
        "config": json.dumps(prompt.config) if prompt else "{}",
        "message": "",
        "base_version": prompt.version if prompt else "",
    } | values


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())
