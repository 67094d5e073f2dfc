"""A stand-in for Clerk: keys, tokens signed with them, and a real server that publishes the public halves."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.vectors import https_server as servers

ISSUER = "https://tests.clerk.accounts.dev"
PARTY = "https://app.example.org"
SUB = "user_2abcDEF"


@cache
def rsa_key(name: str = "first", bits: int = 2_048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


@cache
def ec_key(name: str = "first") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a good token; a change to None takes one away."""
    now = int(time.time())
    usual = {"iss": ISSUER, "sub": SUB, "azp": PARTY, "iat": now, "nbf": now - 1, "exp": now + 60, "v": 2}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(
    *,
    key: Any = None,
    kid: Any = "first",
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    head = {"kid": kid, **(headers or {})}
    signer = rsa_key() if key is None else key
    return jwt.encode(claims(**changes), signer, algorithm=algorithm, headers=head)


class Clerk:
    def __init__(self, server: servers.Server) -> None:
        self.server = server
        self.keys: Any = [jwk(rsa_key(), "first", alg="RS256")]
        self.status = 200
        server.reply = self.reply

    def reply(self, handler: servers.Handler) -> None:
        handler.send(self.status, {"keys": self.keys})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/.well-known/jwks.json"

    @property
    def asked(self) -> int:
        return len(self.server.requests)


@contextmanager
def running() -> Iterator[Clerk]:
    with servers.running() as server:
        yield Clerk(server)
