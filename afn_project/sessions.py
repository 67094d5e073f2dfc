"""Sessions in the database, with copies in Redis that requests read first (`AFN_SESSIONS=cached_db`).

Django's own `cached_db` fails with its cache; here Redis may go away at any time, and is then not waited for
twice (`prompts.serving.shared`). Copies live for a minute: a session that ended while Redis was out of reach
of who ended it is not revived for longer. Their names are hashes, and each is signed for its own session, so
that who reads names in Redis gets no cookie from them, and who writes there gets into no account.
"""

import hmac
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends import db
from django.core import signing

from prompts.serving import shared

SECONDS: Final = 60


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        if self.session_key and (copied := _look(self.session_key)) is not None:
            return copied
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        data = self.decode(row.session_data)
        _keep(self.session_key, data, self.get_expiry_age(expiry=row.expire_date))
        return data

    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        data = self._get_session()  # type: ignore[attr-defined]
        _keep(self.session_key, data, self.get_expiry_age())

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        if key := session_key or self.session_key:
            _call("DEL", _name(key))

    # Django's own would go past the copies.
    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)


def _look(key: str) -> dict[str, Any] | None:
    text = _call("GET", _name(key))
    if not text:
        return None
    try:
        found = signing.loads(text.decode("ascii"), salt=_salt(key))
    except (signing.BadSignature, ValueError):  # somebody else wrote it
        return None
    return found if isinstance(found, dict) else None


def _keep(key: str | None, data: dict[str, Any], seconds: float) -> None:
    if key and seconds >= 1:
        text = signing.dumps(data, salt=_salt(key), compress=True)
        _call("SET", _name(key), text, "EX", min(SECONDS, int(seconds)))


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
