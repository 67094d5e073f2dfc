"""``DATABASES``, made of what the environment says: a file, a server, a server with a replica."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import SecretStr

from .env import Env
from .libsql.dsn import Secret, Target, parse_name

# The environment that the configured database is, unless AFN_ENVIRONMENT names another.
# Seconds that a connection to a file is kept.
_KEPT = 60
MAIN = {"production": "prod", "staging": "staging", "development": "dev"}
REPLICA_TIMEOUT = 5.0  # seconds after which the primary is asked instead
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def databases(env: Env) -> dict[str, dict[str, Any]]:
    """The server where one is named, else the local file: never one in place of the other."""
    if env.turso_sync_url:
        return _embedded_replica(env)
    if not env.turso_database_url:
        if env.turso_replica_url:
            raise ImproperlyConfigured(
                "TURSO_REPLICA_URL: expected TURSO_DATABASE_URL beside it, the server that is replicated."
            )
        return {"default": _file(env)}
    default = _server(env, "TURSO_DATABASE_URL", env.turso_database_url)
    if not env.turso_replica_url:
        return {"default": default}
    replica = _server(env, "TURSO_REPLICA_URL", env.turso_replica_url)
    # Without its primary, a replica that has not copied everything yet keeps the caller waiting.
    replica["OPTIONS"]["timeout"] = min(env.afn_server_timeout, REPLICA_TIMEOUT)
    return {"default": default, "replica": _copy(replica)}


def _file(env: Env) -> dict[str, Any]:
    file = _environment_file(env)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"AFN_DATABASE_FILE: expected a file in a folder that can be made, got {error}."
        ) from error
    return {
        "ENGINE": "afn_project.libsql",
        "NAME": file,
        "OPTIONS": {
            "timeout": env.afn_database_timeout,
            "encryption_key": Secret(_secret(env.afn_database_key)),
            # A fork may be deleted under a server that works on it: it must not come back empty.
            "must_exist": file != env.afn_database_file,
        },
        # Opening a file anew takes longer than a search. One that is replaced or deleted is noticed.
        "CONN_MAX_AGE": _KEPT if env.db_pool_recycle is None else env.db_pool_recycle,
    }


def _environment_file(env: Env) -> Path:
    """The file of AFN_ENVIRONMENT. One that is not there is never made by being named."""
    name, main = env.afn_environment, MAIN[env.environment]
    if name is None or name == main:
        return env.afn_database_file
    file = env.afn_environments_dir / f"{name}.db"
    if not file.is_file():
        there = sorted([main, *(path.stem for path in env.afn_environments_dir.glob("*.db"))])
        raise ImproperlyConfigured(
            f"AFN_ENVIRONMENT: there is no environment {name!r}. There are: {', '.join(there)}. "
            f"Make one with `manage.py environments fork {main} {name}`, without AFN_ENVIRONMENT."
        )
    return file


def _server(env: Env, variable: str, url: str) -> dict[str, Any]:
    target = _target(variable, url)
    if env.afn_environment and not target.is_turso:
        target = target.with_namespace(env.afn_environment)
    elif env.afn_environment:
        raise ImproperlyConfigured(
            "AFN_ENVIRONMENT: at Turso each environment has an address and a token of its own: "
            "set TURSO_DATABASE_URL and TURSO_AUTH_TOKEN instead."
        )
    token = _secret(env.turso_auth_token).strip() or target.auth_token  # files end with a line break
    parts = urlsplit(target.url)
    if not token and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
        raise ImproperlyConfigured(
            f"{variable} has no token: set TURSO_AUTH_TOKEN, or add ?authToken=… to the URL. "
            "Only http:// on this machine may go without."
        )
    query = f"?{urlencode({'namespace': target.namespace})}" if target.namespace else ""
    return {
        "ENGINE": "afn_project.libsql",
        "NAME": f"{target.url}{query}",
        "OPTIONS": {
            # Not left in the NAME, which error pages and test runners show.
            "auth_token": Secret(token),
            "timeout": env.afn_server_timeout,
            "pool_size": env.db_pool_size,
            "max_overflow": env.db_max_overflow,
            "pool_timeout": env.db_pool_timeout,
            "pool_recycle": env.db_pool_recycle or 0,
        },
    }


def _copy(entry: dict[str, Any]) -> dict[str, Any]:
    options = {**entry.get("OPTIONS", {}), "replica_of": "default"}
    return {**entry, "OPTIONS": options, "TEST": {"MIRROR": "default"}}


def _embedded_replica(env: Env) -> dict[str, dict[str, Any]]:
    primary = _server(env, "TURSO_SYNC_URL", env.turso_sync_url or "")
    if env.turso_database_url:
        named = _target("TURSO_DATABASE_URL", env.turso_database_url)
        if urlsplit(named.url).netloc != urlsplit(primary["NAME"]).netloc:
            raise ImproperlyConfigured(
                "TURSO_SYNC_URL: expected the same server as TURSO_DATABASE_URL, got another one."
            )
    if env.turso_replica_url:
        raise ImproperlyConfigured("TURSO_REPLICA_URL: expected either it or TURSO_SYNC_URL, got both.")
    # Read-only: a reader that closed a file as its last user would otherwise write to it.
    file = {"ENGINE": "afn_project.libsql", "NAME": f"file:{env.afn_replica_file}?mode=ro"}
    return {"default": primary, "replica": _copy(file)}


def _target(variable: str, url: str) -> Target:
    try:
        target = parse_name(url)
        is_server = target.is_remote and urlsplit(target.url).port != 0
    except (ImproperlyConfigured, ValueError):  # its text may quote the token in the URL, so it is not shown
        is_server = False
    if not is_server:
        raise ImproperlyConfigured(
            f"{variable}: expected libsql://… or http(s)://…; AFN_DATABASE_FILE names a local file."
        )
    return target


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
