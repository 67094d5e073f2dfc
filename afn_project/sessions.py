"""Sessions in the database, with copies in Redis that requests read first (`AFN_SESSIONS=cached_db`).

Django's own `cached_db` fails with its cache; here Redis may go away at any time, and is then not waited for
twice (`prompts.serving.shared`). A copy that should have been removed or replaced meanwhile is removed within
seconds of Redis being back; where the process that knows of it is gone by then, it lives for a minute at
most. Their names are hashes, and each is signed for its own session, so
that who reads names in Redis gets no cookie from them, and who writes there gets into no account.
"""

import hmac
import threading
import time
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends import db
from django.core import signing

from prompts.serving import shared

SECONDS: Final = 60
_PAUSE: Final = 0.5  # seconds between tries, most of which the circuit breaker answers


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        if self.session_key and (copied := _look(self.session_key)) is not None:
            return copied
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        data = self.decode(row.session_data)
        _keep(row.session_key, data, self.get_expiry_age(expiry=row.expire_date))
        return data

    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        data = self._get_session()  # type: ignore[attr-defined]
        if self.session_key and not _keep(self.session_key, data, self.get_expiry_age()):
            _outdated.add(_name(self.session_key))

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        if (key := session_key or self.session_key) and _call("DEL", _name(key)) is None:
            _outdated.add(_name(key))

    # Django's own would go past the copies.
    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)


class _Outdated:
    """Copies that Redis may still have though they count no more: removed as soon as it answers again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    def add(self, name: str) -> None:
        with self._lock:
            self._names[name] = time.monotonic() + SECONDS  # by then it is gone in any case
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="sessions", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_PAUSE)
            with self._lock:
                now = time.monotonic()
                self._names = {name: until for name, until in self._names.items() if until > now}
                if not self._names:
                    self._thread = None
                    return
                names = dict(self._names)
            if _call("DEL", *names) is not None:
                with self._lock:  # but for those that were added anew
                    self._names = {one: at for one, at in self._names.items() if names.get(one) != at}


_outdated: Final = _Outdated()


def _look(key: str) -> dict[str, Any] | None:
    text = _call("GET", _name(key))
    if not text:
        return None
    try:
        found = signing.loads(text.decode("ascii"), salt=_salt(key))
    except (signing.BadSignature, ValueError):  # somebody else wrote it
        return None
    return found if isinstance(found, dict) else None


def _keep(key: str, data: dict[str, Any], seconds: float) -> bool:
    """Whether no older copy is left."""
    if seconds < 1:
        return _call("DEL", _name(key)) is not None
    text = signing.dumps(data, salt=_salt(key), compress=True)
    return _call("SET", _name(key), text, "EX", min(SECONDS, int(seconds))) is not None


def _call(command: str, *arguments: Any) -> Any:
    """None where Redis does not answer: the database has all of it."""
    try:
        return shared.call(command, *arguments)
    except shared.Unavailable:
        return None


def _salt(key: str) -> str:
    return f"afn.sessions.{key}"


def _name(key: str) -> str:
    return f"afn:session:{hmac.new(settings.SECRET_KEY.encode(), key.encode(), 'sha256').hexdigest()}"
