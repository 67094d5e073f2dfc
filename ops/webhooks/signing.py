"""The signature of what is sent: HMAC-SHA256 over the moment and the body, as receivers verify it."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

HEADER: Final = "X-AFN-Signature"


def new_secret() -> str:
    """256 random bits."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def sign(body: bytes, keys: Iterable[str], moment: int) -> str:
    """``t=<Unix seconds>,v1=<hex>``, with a ``v1`` for each of the secrets that count at the moment."""
    signed = b"%d." % moment + body
    digests = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return ",".join([f"t={moment}", *(f"v1={digest}" for digest in digests)])
