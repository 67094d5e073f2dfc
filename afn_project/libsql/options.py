"""Reading ``DATABASES[...]["OPTIONS"]``: what a connection to a file, and one to a server, may be told."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .dsn import Secret, Target
from .pool import Limits
from .pragmas import pragma_statements

KEY_BYTES = 32  # libSQL uses the first 32 as the key, as they are, and also takes a key of five
_FILE = ("timeout", "transaction_mode", "pragmas", "encryption_key", "must_exist", "init_command")
_SERVER = (
    "timeout",
    "transaction_mode",
    "auth_token",
    "pool_size",
    "max_overflow",
    "pool_timeout",
    "pool_recycle",
    "init_command",
)
REPLICA_OF = "replica_of"  # the alias whose database this one is a copy of
Options = dict[str, Any]


def connection_parameters(alias: str, target: Target, options: Options) -> Options:
    """The keyword arguments of :func:`.dbapi.connect` for a database. ``replica_of`` is not among them.

    Raises ``ImproperlyConfigured`` for names that are not known and values that cannot be meant.
    """
    known = _SERVER if target.is_remote else _FILE
    if unknown := sorted(set(options) - {*known, REPLICA_OF}):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS'] has unknown names: {', '.join(unknown)}. "
            f"Known of a {'server' if target.is_remote else 'file'}: {', '.join(known)}, {REPLICA_OF}."
        )
    return _of_server(alias, target, options) if target.is_remote else _of_file(alias, target, options)


def init_statements(alias: str, target: Target, options: Options) -> list[str]:
    """What a new connection runs first. A server keeps its own PRAGMAs, and knows few."""
    pragmas: list[str] = []
    if not target.is_remote:
        pragmas = pragma_statements(options.get("pragmas", {}), alias=alias, in_memory=target.is_memory)
    commands = (command.strip() for command in options.get("init_command", "").split(";"))
    return [*pragmas, *filter(None, commands)]


def _of_file(alias: str, target: Target, options: Options) -> Options:
    key = Secret(options.get("encryption_key", ""))
    if key and len(key.encode()) != KEY_BYTES:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS']['encryption_key'] has {len(key.encode())} bytes, "
            f"expected {KEY_BYTES} random ones, such as secrets.token_urlsafe(24) gives."
        )
    return {
        "database": target.path,
        "timeout": float(options.get("timeout", 5.0)),
        "encryption_key": key,
        "must_exist": bool(options.get("must_exist", False)),
    }


def _of_server(alias: str, target: Target, options: Options) -> Options:
    usual = Limits()
    limits = Limits(
        size=_number(alias, options, "pool_size", usual.size, least=1),
        overflow=_number(alias, options, "max_overflow", usual.overflow),
        wait=_number(alias, options, "pool_timeout", usual.wait),
        recycle=_number(alias, options, "pool_recycle", usual.recycle),
    )
    return {
        "database": target.name,
        "timeout": float(_number(alias, options, "timeout", 15.0)),
        "auth_token": Secret((options.get("auth_token", "") or target.auth_token).strip()),
        "limits": limits,
    }


def _number(alias: str, options: Options, name: str, usual: float, *, least: float = 0) -> Any:
    value = options.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS'][{name!r}]: expected a number of {least:g} or more, "
            f"got {value!r}."
        )
    return value
