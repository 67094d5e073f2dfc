"""Notices writes to what is served, and has the epoch rotate after they are committed.

Every statement of this process passes here, whatever wrote it: a model's ``save()``, an ``update()``, a bulk
insert or SQL written by hand.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from . import epoch

_WRITES: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH)\b", re.IGNORECASE)
# Of users the name is shown; when they logged in last is not.
_SERVED: Final = re.compile(
    r"\b(?:prompts|prompt_versions|prompt_labels|label_splits)\b|\busers\b.*\busername\b",
    re.IGNORECASE | re.DOTALL,
)


class _Commit:
    """Rotates once, however many statements of a transaction ask for it."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.is_done = False

    def run(self) -> None:
        if not self.is_done:
            self.is_done = True
            epoch.rotate(self.using)


def install(connection: Any, **kwargs: Any) -> None:
    """A receiver of ``connection_created``."""
    if connection.vendor == "sqlite" and _watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watch)


def _watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    result = execute(sql, params, many, context)
    if _WRITES.match(sql) and _SERVED.search(sql):
        connection: BaseDatabaseWrapper = context["connection"]
        commit = getattr(connection, "afn_commit", None)
        if commit is None or commit.is_done:
            commit = _Commit(connection.alias)
            connection.afn_commit = commit  # type: ignore[attr-defined]
        # Robust: the write counts, whatever becomes of the token.
        transaction.on_commit(commit.run, using=connection.alias, robust=True)
    return result
