"""The files of a Redis for AFN: `redis.conf`, `users.acl` with hashes, and the passwords for AFN in one file.

`deploy/redis` is the same for a container, which gets its passwords from variables.
"""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import quote

from . import certificates
from .certificates import Files
from .rights import USERS, render_users

CONFIG, ACL, CONNECTIONS = "redis.conf", "users.acl", "connections.env"
_MADE: Final = Files(Path("redis.crt"), Path("redis.key"), Path("ca.crt"))
# What .env calls the passwords; the container of Redis reads the same names.
PASSWORDS: Final = {
    "app": "REDIS_PASSWORD",
    "worker": "REDIS_WORKER_PASSWORD",
    "backup": "REDIS_BACKUP_PASSWORD",
    "monitor": "REDIS_MONITOR_PASSWORD",
}


class ConfigProblem(Exception):
    """The files cannot be written as asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. `tls` are files; with `makes_tls` they are made."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 6379
    data: Path | None = None
    tls: Files | None = None
    makes_tls: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What there is now; no password is in it."""

    config: Path
    users: Path
    connections: Path
    url: str
    certificate: Path | None


def write(plan: Plan, *, force: bool = False) -> Written:
    """Write all files, each in one step. Nothing is replaced unless `force` says so.

    Raises ``ConfigProblem`` and ``certificates.CertificateProblem``.
    """
    _check(plan)
    folder = plan.folder.expanduser().resolve()
    data = (plan.data or folder / "data").expanduser().resolve()
    contents: dict[str, tuple[bytes, int]] = {}
    tls = certificates.check(plan.tls) if plan.tls else None
    if plan.makes_tls:
        made = certificates.make(plan.host)
        tls = Files(folder / _MADE.certificate, folder / _MADE.key, folder / _MADE.authority)
        contents[tls.key.name] = made.key, 0o600
        contents[tls.certificate.name] = made.certificate, 0o644
        contents[tls.authority.name] = made.authority, 0o644
    passwords = {user: secrets.token_urlsafe(32) for user in USERS}
    hashes = {user: hashlib.sha256(text.encode()).hexdigest() for user, text in passwords.items()}
    url = _url("app", plan, tls)
    contents[CONNECTIONS] = _connections(url, _url("worker", plan, tls), passwords).encode(), 0o600
    contents[ACL] = render_users(hashes).encode(), 0o600
    contents[CONFIG] = _config(plan, folder, data, tls).encode(), 0o600  # the last: what is there is whole
    try:
        _write(folder, data, contents, force)
    except OSError as error:
        raise ConfigProblem(
            f"--folder: expected a folder that this user can write to, got {folder}: {error.strerror}."
        ) from error
    certificate = tls.certificate if tls else None
    return Written(folder / CONFIG, folder / ACL, folder / CONNECTIONS, url, certificate)


def _check(plan: Plan) -> None:
    if not 1 <= plan.port <= 65_535:
        raise ConfigProblem(f"--port: expected a number from 1 to 65535, got {plan.port}.")
    if plan.makes_tls and plan.tls:
        raise ConfigProblem(
            "--tls: expected either it, which makes a certificate, or the files of one, got both."
        )
    if not _is_address(plan.host) and not re.fullmatch(
        r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", plan.host
    ):
        raise ConfigProblem(f"--host: expected a host name or an address, got {plan.host!r}.")
    if not _is_loopback(plan.host) and not (plan.makes_tls or plan.tls):
        raise ConfigProblem(
            f"--host: expected --tls with {plan.host}, got none: over a network, whoever sees its traffic "
            "could read the passwords and what is cached. Without TLS AFN is on this machine: 127.0.0.1."
        )
    for option, path in (("--folder", plan.folder), ("--data-dir", plan.data)):
        if path is not None and not str(path).isprintable():
            raise ConfigProblem(f"{option}: expected a path of printable characters, got {str(path)!r}.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _url(user: str, plan: Plan, tls: Files | None) -> str:
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    if tls is None:
        return f"redis://{user}@{host}:{plan.port}/0"
    return f"rediss://{user}@{host}:{plan.port}/0?ssl_ca_certs={quote(str(tls.authority), safe='/')}"


def _config(plan: Plan, folder: Path, data: Path, tls: Files | None) -> str:
    lines = [
        "# Made by `manage.py init_redis_config`; docs/redis.md explains it.",
        "# The sign before an address: go on where this machine does not have it.",
        "bind 127.0.0.1 -::1" if _is_loopback(plan.host) else "bind * -::*",
        "protected-mode yes",
        f"port {plan.port if tls is None else 0}",
        f"dir {_quoted(data)}",
        f"aclfile {_quoted(folder / ACL)}",
        "# What the cache writes expires, and only such keys are given up when memory is short: a task in",
        "# the queue never is.",
        "maxmemory 384mb",
        "maxmemory-policy volatile-lru",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxclients 1000",
        "timeout 0",
        "tcp-keepalive 60",
        "slowlog-log-slower-than 10000",
        "latency-monitor-threshold 100",
    ]
    if tls is not None:
        lines += [
            f"tls-port {plan.port}",
            f"tls-cert-file {_quoted(tls.certificate)}",
            f"tls-key-file {_quoted(tls.key)}",
            f"tls-ca-cert-file {_quoted(tls.authority)}",
            "# Clients show a user and a password, and no certificate.",
            "tls-auth-clients no",
            'tls-protocols "TLSv1.2 TLSv1.3"',
        ]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _connections(url: str, worker_url: str, passwords: Mapping[str, str]) -> str:
    app, *others = (f"{PASSWORDS[user]}={passwords[user]}" for user in USERS)
    return "\n".join(
        [
            "# Made by `manage.py init_redis_config`: copy these lines into .env.",
            "# The passwords stand nowhere else.",
            f"REDIS_URL={url}",
            app,
            "# AFN does not read the following. Celery's worker and scheduler are started with",
            f"# REDIS_URL={worker_url}",
            "# and REDIS_PASSWORD=$REDIS_WORKER_PASSWORD. Backups and monitors have users too: docs/redis.md",
            *others,
            "",
        ]
    )


def _write(folder: Path, data: Path, contents: Mapping[str, tuple[bytes, int]], force: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = [name for name in contents if os.path.lexists(folder / name)]
    if there and not force:
        raise ConfigProblem(_exists(folder, there))
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, (content, mode) in contents.items():
        # Whole under another name first (mkstemp gives it 0600): whoever reads sees the old file or the new.
        descriptor, new = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if force:
                os.replace(new, folder / name)
            else:
                os.link(new, folder / name)  # fails where somebody was faster
        except FileExistsError as error:
            raise ConfigProblem(_exists(folder, [name])) from error
        finally:
            Path(new).unlink(missing_ok=True)


def _exists(folder: Path, names: list[str]) -> str:
    return (
        f"{folder} holds {', '.join(names)} already, and nothing was written. --force replaces them, with "
        "new passwords, which Redis takes when it is started anew."
    )
