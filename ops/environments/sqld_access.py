"""With which token each namespace of a libSQL server is opened."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from .base import NotConfigured, Token
from .secret_text import SecretText
from .tokens import has_keys, mint_token

_LIFE = timedelta(hours=4)  # as long as a rehearsed migration may take
_SOON = timedelta(minutes=10)


class Access:
    """The configured `token` opens the namespace `current`, and others unless it is bound to one.

    For those it does not open, short-lived tokens are signed with the key in the folder `keys`.
    """

    def __init__(self, token: str, *, current: str, keys: Path) -> None:
        if not re.fullmatch(r"[\x21-\x7e]*", token):
            raise NotConfigured(
                "TURSO_AUTH_TOKEN: expected visible ASCII characters without spaces, got others."
            )
        self._token = SecretText(token)
        self._current = current
        self._keys = keys
        self._minted: dict[tuple[str, bool], Token] = {}

    def opens(self, namespace: str) -> bool:
        """Whether the configured token does."""
        return namespace == self._current or _opens_all(self._token)

    def token(self, namespace: str, *, read_only: bool = False) -> SecretText:
        """Raises ``NotConfigured`` where there is none for it and no key to sign one."""
        if self.opens(namespace):
            return self._token
        minted = self._minted.get((namespace, read_only))
        if minted is None or minted.expires_at < datetime.now(UTC) + _SOON:
            if not has_keys(self._keys):
                raise NotConfigured(
                    f"TURSO_AUTH_TOKEN does not open the namespace {namespace} for reading and writing. Use "
                    "one that opens all, or put the key that signs the server's tokens into AFN_TOKEN_KEYS."
                )
            minted = mint_token(self._keys, namespace=namespace, read_only=read_only, lifetime=_LIFE)
            self._minted[namespace, read_only] = minted
        return minted.text

    def mint(self, namespace: str, *, read_only: bool, lifetime: timedelta, allow_long: bool) -> Token:
        """A new token for somebody else. Raises ``NotConfigured`` without a key to sign it."""
        return mint_token(
            self._keys,
            namespace=namespace,
            read_only=read_only,
            lifetime=lifetime,
            allow_long=allow_long,
        )


def _opens_all(token: str) -> bool:
    """Whether a token reads and writes every namespace, as far as can be seen."""
    if not token:
        return True  # the server asks for none
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return True  # of another kind: the server decides
    return claims.get("a", "rw") == "rw" and not {"id", "p"} & set(claims)
