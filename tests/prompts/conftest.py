"""Prompts on real libSQL, with an embedder that is a function of its input."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from prompts.models import Prompt, User
from tests.prompts.databases import opened
from tests.vectors.fakes import FakeEmbedder
from vectors.errors import EmbedderError

Make = Callable[..., Prompt]
Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def make(user: User, django_capture_on_commit_callbacks: Any) -> Make:
    """Save a prompt, and index it as after a commit."""

    def prompt(name: str, content: str = "Rewrite {{resume}}.", **fields: Any) -> Prompt:
        with django_capture_on_commit_callbacks(execute=True):
            made = Prompt(user=user, name=name, title=fields.pop("title", name), content=content, **fields)
            made.save()
        return made

    return prompt


@pytest.fixture
def run() -> Run:
    """Run a command and return what it prints on stdout."""

    def command(*arguments: Any) -> str:
        out = io.StringIO()
        call_command(*map(str, arguments), stdout=out, stderr=io.StringIO())
        return out.getvalue()

    return command


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    return lambda *arguments: json.loads(run(*arguments, "--json"))


@pytest.fixture
def broken_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on embedding fails, as where a service is out of reach."""

    def fail(self: FakeEmbedder, texts: Any) -> Any:
        raise EmbedderError("embedder fake", "an answer", "none")

    monkeypatch.setattr(FakeEmbedder, "embed", fail)


@pytest.fixture
def databases(
    django_db_setup: None, migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[str, str]]:
    """The aliases ``left`` and ``right`` of two database files, with tables and the user ``aoi``."""
    files = tmp_path / "left.db", tmp_path / "right.db"
    for file in files:
        shutil.copyfile(migrated_file, file)
    with django_db_blocker.unblock(), opened("left", files[0]) as left, opened("right", files[1]) as right:
        yield left, right
