"""Database files of their own: migrated once, then copied, as forks are."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from prompts.models import Prompt, User


@contextmanager
def opened(alias: str, name: Path | str, **values: Any) -> Iterator[str]:
    """A file, or a server's NAME, as a database under `alias`."""
    connections.databases[alias] = {**connections.databases["default"], "NAME": str(name)} | values
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]


def make_migrated(file: Path, blocker: DjangoDbBlocker) -> Path:
    """A file with AFN's tables and one user."""
    with blocker.unblock(), opened("template", file) as alias:
        call_command("migrate", database=alias, verbosity=0)
        User.objects.using(alias).create(id="a" * 32, username="aoi", email="aoi@example.com")
    return file


def copy_database(source: str, target: str) -> None:
    """Make `target` what `source` is: a fork."""
    for alias in (source, target):
        connections[alias].close()
    here, there = (Path(connections.databases[alias]["NAME"]) for alias in (source, target))
    for old in there.parent.glob(f"{there.name}-*"):
        old.unlink()
    for file in here.parent.glob(f"{here.name}*"):
        shutil.copyfile(file, there.parent / file.name.replace(here.name, there.name, 1))


def save(using: str, name: str, content: str | None = None, **fields: object) -> Prompt:
    """Make a prompt in a database, or change it there, as its forms do."""
    message = str(fields.pop("message", ""))
    prompt = Prompt.objects.using(using).filter(name=name).first()
    if prompt is None:
        author = User.objects.using(using).get(username="aoi")
        prompt = Prompt(user=author, name=name, title=str(fields.pop("title", name)))
    for field, value in fields.items():
        setattr(prompt, field, value)
    prompt.content = prompt.content if content is None else content
    prompt.save(using=using, message=message)
    return prompt
