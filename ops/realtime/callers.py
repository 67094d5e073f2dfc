"""Who listens, what that user may hear of, and whether that is still so."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest

from prompts.models import ApiKey, Scope, User
from vectors.permissions import READING

from .kinds import AREAS

# A token of Clerk cannot be looked at again: who came with one comes again with a fresh one.
TOKEN_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class Caller:
    """By a key, by a session, or by neither, which ends after a while."""

    user_id: str
    key_id: str = ""
    session_key: str = field(default="", repr=False)
    permissions: frozenset[str] = frozenset()
    until: float = float("inf")


def of_user(user: User, key: ApiKey | None = None, session_key: str = "") -> Caller:
    """As the API has it: reading takes the scope to read, what takes a permission that to write."""
    needed = {permission for permission in AREAS.values() if permission != READING}
    held = {one for one in needed if (key is None or key.allows(Scope.WRITE)) and user.has_perm(one)}
    if key is None or key.allows(Scope.READ):
        held.add(READING)
    until = float("inf") if key or session_key else time.monotonic() + TOKEN_SECONDS
    return Caller(str(user.pk), str(key.pk) if key else "", session_key, frozenset(held), until)


def of_ids(user_id: str, key_id: str) -> Caller | None:
    """By what a ticket says; None where key or account are over."""
    if key_id:
        keys = ApiKey.objects.using(DEFAULT_DB_ALIAS).select_related("user")
        key = keys.filter(pk=key_id, user=user_id).first()
        return of_user(key.user, key) if key is not None and key.is_usable else None
    user = User.objects.using(DEFAULT_DB_ALIAS).filter(pk=user_id, is_active=True).first()
    return of_user(user) if user is not None else None


def of_session(session_key: str) -> Caller | None:
    """None where the session is over, or its user may not log in any more."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return of_user(user, session_key=session_key) if isinstance(user, User) and user.is_active else None


def look_again(caller: Caller) -> Caller | None:
    """What the same caller may now; None for nothing any more."""
    if time.monotonic() > caller.until:
        return None
    if caller.session_key:
        return of_session(caller.session_key)
    found = of_ids(caller.user_id, caller.key_id)
    if found is None or caller.key_id:
        return found
    return Caller(found.user_id, "", "", found.permissions, caller.until)
