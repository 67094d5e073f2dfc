"""A database in memory, to try something out that nobody else sees and that leaves nothing behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connections
from django.db.utils import load_backend


@contextmanager
def scratch_database(like: str) -> Iterator[str]:
    """The alias of an empty database with this app's tables, of the same engine as the alias `like`.

    This thread alone knows the alias. Texts put into it are on no disk, so it needs no encryption.
    """
    alias = f"scratch-{uuid.uuid4().hex}"
    settings = {**connections.settings[like], "NAME": ":memory:", "OPTIONS": {}}
    connection = connections[alias] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, alias)
    try:
        with connection.schema_editor() as editor:
            for model in apps.get_app_config("vectors").get_models():
                editor.create_model(model)
        yield alias
    finally:
        connection.close()
        del connections[alias]
