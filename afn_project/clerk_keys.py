"""The public keys that Clerk signs with, kept in the process.

They are fetched again after an hour, and for a key id that is not among them, since providers change their
keys; but anybody can send such an id, so at most once in 30 seconds. While the provider is out of reach the
keys that are there go on to count, for a day.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from vectors import outgoing
from vectors.errors import OutgoingRefused

logger = logging.getLogger(__name__)

FIELD = "CLERK_JWKS_URL"
FRESH = 3_600.0  # seconds
USABLE = 86_400.0
PAUSE = 30.0
PAUSE_WITHOUT_KEYS = 5.0  # nobody can log in: sooner, and still bounded
TIMEOUT = 3.0
MAX_BYTES = 256_000
MAX_KEYS = 100
MIN_RSA_BITS = 2_048

Keys = dict[str, jwt.PyJWK]


class KeysUnavailable(Exception):
    """There are no keys, or none young enough to trust."""


class KeyRing:
    """The keys of one address; safe for threads."""

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], Keys] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch or fetch_keys
        self._clock = clock
        self._keys: Keys = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._fetching = threading.Lock()

    def get(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id, or None where Clerk has none; raises KeysUnavailable."""
        if kid not in self._keys or self._age() > FRESH:
            self._refresh(kid)
        if self._age() > USABLE:
            raise KeysUnavailable
        return self._keys.get(kid)

    def _age(self) -> float:
        return self._clock() - self._fetched

    def _is_due(self) -> bool:
        pause = PAUSE if self._keys else PAUSE_WITHOUT_KEYS
        return self._clock() - self._tried >= pause

    def _refresh(self, kid: str) -> None:
        # Whoever has a key, though an old one, does not wait for somebody else's fetch.
        if not self._is_due() and not self._fetching.locked():
            return
        is_mine = self._fetching.acquire(blocking=kid not in self._keys, timeout=self._patience(kid))
        if not is_mine:
            return
        try:
            if not self._is_due():  # another thread was faster
                return
            self._tried = self._clock()
            self._keys = self._fetch(self._url)
            self._fetched = self._clock()
        except KeysUnavailable:
            logger.warning("The keys of Clerk could not be fetched; see %s", FIELD)
        finally:
            self._fetching.release()

    def _patience(self, kid: str) -> float:
        return -1 if kid in self._keys else 2 * TIMEOUT


def fetch_keys(url: str) -> Keys:
    """By id, the keys at that address that can sign; raises KeysUnavailable."""
    try:
        with (
            outgoing.client(timeout=TIMEOUT, max_bytes=MAX_BYTES, field=FIELD) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as response,
        ):
            body = outgoing.read_bounded(response, MAX_BYTES)
    except OutgoingRefused as error:
        logger.error("Clerk's keys may not be fetched: %s", error)  # the hint names the missing entry
        raise KeysUnavailable from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        logger.warning("Clerk's keys: %s", outgoing.describe(error))
        raise KeysUnavailable from error
    if response.status_code != 200:
        logger.warning("Clerk's keys: status %s", response.status_code)
        raise KeysUnavailable
    keys = read_keys(body)
    if not keys:
        logger.warning("Clerk's keys: none that AFN can use in %s", outgoing.excerpt(body))
        raise KeysUnavailable
    return keys


def read_keys(body: bytes) -> Keys:
    """The usable keys of a JWKS; others are passed over, as RFC 7517 says."""
    try:
        found = json.loads(body)["keys"][:MAX_KEYS]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    keys = (_usable(one) for one in found)
    return {key.key_id: key for key in keys if key is not None and key.key_id}


def _usable(data: Any) -> jwt.PyJWK | None:
    """A public key for RS256 or ES256 and for signatures, of a length that still holds."""
    if not isinstance(data, dict) or data.get("use", "sig") != "sig" or not isinstance(data.get("kid"), str):
        return None
    try:
        key = jwt.PyJWK(data)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    public = key.key
    if key.algorithm_name == "RS256":
        is_right = isinstance(public, RSAPublicKey) and public.key_size >= MIN_RSA_BITS
    else:
        is_curve = isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1)
        is_right = key.algorithm_name == "ES256" and is_curve
    return key if is_right else None


def current() -> KeyRing:
    """The ring of the address in the settings."""
    usual = f"{str(settings.CLERK_ISSUER).rstrip('/')}/.well-known/jwks.json"
    return _ring(settings.CLERK_JWKS_URL or usual)


@lru_cache(maxsize=4)
def _ring(url: str) -> KeyRing:
    return KeyRing(url)
