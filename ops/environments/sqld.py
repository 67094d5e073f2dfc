"""Environments that are namespaces of a self-hosted libSQL server (sqld).

What the server holds decides, the registry only remembers the names. An environment is *unfinished* while it
is being made or deleted, and stays so where that was interrupted: it is listed, says so in ``frozen``, cannot
be opened, and ``delete`` clears it away. Listing mends what is decided: a making or a deletion that the
server has completed, and names that were removed from it by other means.
"""

import builtins
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from . import base, sqld_dump
from .base import (
    Environment,
    EnvironmentProblem,
    NameTaken,
    NotConfigured,
    ProviderFailed,
    Token,
    WrongName,
)
from .dump_loading import load_dump
from .opening import opened_database
from .row_copying import copy_rows
from .sqld_access import Access
from .sqld_admin import Admin
from .sqld_registry import RESERVED, Registry, Row, State

_ENGINE = "afn_project.libsql"
_FILE, _NEW = "load:file", "load:new"  # aliases
_REPLACED = "another database is being put into its place; try again in a moment"


class Provider(base.Provider):
    """``url`` is the server's address without a namespace. ``token`` and the folder ``keys`` are those of
    :class:`Access`; ``options`` go to the engine as they are.
    """

    kind = "sqld"

    def __init__(
        self,
        *,
        url: str,
        admin_url: str,
        admin_key: str = "",
        token: str = "",
        keys: Path,
        current: str,
        protected: Collection[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(current=current, protected=protected)
        check_name(current)
        self.url = url.rstrip("/")
        self._access = Access(token, current=current, keys=keys)
        self._options = dict(options or {})
        self._admin = Admin(admin_url, admin_key)
        self._registry = Registry(self._admin, self._entry)

    @classmethod
    def from_settings(cls) -> Self:
        """The provider of the configured server. Raises ``NotConfigured``."""
        database = settings.DATABASES["default"]
        parts = urlsplit(str(database["NAME"]))
        namespace = parse_qs(parts.query).get("namespace", [""])[0]
        if parts.scheme not in ("http", "https") or not namespace:
            raise NotConfigured(
                "TURSO_DATABASE_URL: expected http(s)://host:port?namespace=name of a self-hosted server, so "
                "that the environment has a name; `default` is the namespace of a URL without one."
            )
        if not settings.AFN_SQLD_ADMIN_URL:
            raise NotConfigured(
                "AFN_SQLD_ADMIN_URL is not set: environments need the server's --admin-listen-addr, and "
                "AFN_SQLD_ADMIN_KEY its --admin-auth-key."
            )
        options = dict(database.get("OPTIONS", {}))
        return cls(
            url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
            admin_url=settings.AFN_SQLD_ADMIN_URL,
            admin_key=settings.AFN_SQLD_ADMIN_KEY,
            token=options.pop("auth_token", ""),
            keys=settings.AFN_TOKEN_KEYS,
            current=namespace,
            protected=settings.AFN_PROTECTED_ENVIRONMENTS,
            options=options,
        )

    def get(self, name: str) -> Environment:
        check_name(name)
        return super().get(name)

    def fork(self, source: str, name: str) -> Environment:
        check_name(name)  # before the server is asked for anything
        return super().fork(source, name)

    def database(self, name: str) -> dict[str, Any]:
        check_name(name)
        if name != self.current:
            self._finished(name)
        return self._entry(name)

    def capture(self, name: str, file: Path) -> None:
        dumped = file.with_suffix(".sql")
        try:
            self.dump(name, dumped)
            load_dump(dumped, file)
        finally:
            dumped.unlink(missing_ok=True)

    def dump(self, name: str, file: Path) -> int:
        """Write an environment to a file of SQL that recreates it; its size in bytes."""
        self._finished(name)
        return sqld_dump.dump(self.url, name, self._access.token(name, read_only=True), file)

    def needs_token(self, name: str) -> bool:
        return not self._access.opens(name)

    def mint_token(
        self, name: str, *, read_only: bool, lifetime: timedelta, allow_long: bool = False
    ) -> Token:
        check_name(name)
        return self._access.mint(name, read_only=read_only, lifetime=lifetime, allow_long=allow_long)

    def _list(self) -> builtins.list[Environment]:
        found = [self._environment(row) for row in self._rows()]
        return [environment for environment in found if environment is not None]

    def _rows(self) -> builtins.list[Row]:
        rows = self._registry.rows()
        if all(row.name != self.current for row in rows) and self._admin.exists(self.current):
            self._registry.adopt(self.current)
            rows = self._registry.rows()
        return rows

    def _environment(self, row: Row) -> Environment | None:
        """The environment of a row, None where the server has none any more."""
        if row.state is State.CREATING:
            config = self._admin.config_if_made(row.name)
            if config is None:
                return self._unfinished(row, "it is being made, or its making was interrupted")
            self._registry.finish(row.name, row.claim)
        else:
            config = self._admin.config(row.name)
            if config is None:
                self._registry.bury(row.name, row.claim)
                return None
            if row.state is State.DELETING:
                return self._unfinished(row, "it is being deleted, or its deletion was interrupted")
        return Environment(
            name=row.name,
            address=self._address(row.name),
            is_current=row.name == self.current,
            is_protected=row.name in self.protected,
            frozen=(config["block_reason"] or "no reason given") if config["block_writes"] else "",
            parent=row.parent,
            created_at=row.created_at,
            size=self._admin.size(row.name),
        )

    def _unfinished(self, row: Row, state: str) -> Environment:
        # Neither current nor protected: there is nothing to lose, and only `delete` clears it away.
        return Environment(
            name=row.name,
            address=self._address(row.name),
            frozen=f"unfinished: {state}",
            parent=row.parent,
            created_at=row.created_at,
        )

    def _create(self, name: str) -> None:
        self._make(name, "", lambda: self._admin.create(name))

    def _fork(self, source: str, name: str) -> None:
        self._finished(source)

        def copy() -> None:
            self._admin.fork(source, name)
            # The configuration was copied too, and with it the freeze.
            self._admin.change_config(name, block_writes=False, block_reason=None)

        self._make(name, source, copy)

    def _make(self, name: str, parent: str, work: Callable[[], None]) -> None:
        # Before the name is claimed: what is there under a claim may be cleared away.
        if self._admin.exists(name):
            raise NameTaken(
                f"The server holds a namespace {name!r} that was made outside AFN. To take it in, list the "
                f"environments once with AFN_ENVIRONMENT={name}; or choose another name."
            )
        claim = self._registry.claim(name, parent)
        try:
            work()
            is_ours = self._registry.finish(name, claim)
        except NameTaken:
            self._registry.remove(name, claim)
            raise
        except EnvironmentProblem as error:
            self._undo(name, claim, error)
            raise
        if not is_ours:
            if all(row.name != name for row in self._registry.rows()):
                self._admin.delete(name)
            raise ProviderFailed(f"Another operator deleted {name!r} while it was being made.")

    def _undo(self, name: str, claim: str, error: EnvironmentProblem) -> None:
        try:
            self._admin.delete(name)
            self._registry.remove(name, claim)
        except EnvironmentProblem as problem:
            raise ProviderFailed(
                f"{error} {name!r} is left unfinished: when the server answers again, clear it away with "
                f"`manage.py environments delete {name}`."
            ) from problem

    def _load(self, name: str, file: Path) -> None:
        def fill() -> None:
            self._admin.create(name)
            with opened_database(_FILE, self.file_database(file)), opened_database(_NEW, self._entry(name)):
                copy_rows(_FILE, _NEW)

        self._make(name, "", fill)

    def _replace(self, name: str, source: str, kept: str) -> str:
        """The server cannot rename: what is there is forked, deleted, and made of the other one.

        Between the last two there is none for a moment, and for good where this process is killed just then:
        the same call again puts that right, for what is not there needs no keeping. The old one stays
        frozen, so that whoever has a connection to it left writes nothing that would be lost.
        """
        self._finished(source)
        config = self._admin.config(name)
        if config is not None:
            if not config["block_writes"]:
                self._admin.change_config(name, block_writes=True, block_reason=_REPLACED)
            self._fork(name, kept)
            self._freeze(kept, f"kept as {name} was before it was replaced")
            self._admin.delete(name)
        self._admin.fork(source, name)
        self._admin.change_config(name, **(config or {"block_writes": False, "block_reason": None}))
        self._registry.adopt(name)
        self._delete(source)
        return f"the environment {kept}" if config is not None else ""

    def _delete(self, name: str) -> None:
        row = self._row(name)
        claim = self._registry.begin_deletion(row)
        try:
            self._admin.delete(name)
            if row.state is State.CREATING:
                self._registry.remove(name, claim)
            else:
                self._registry.bury(name, claim)
        except EnvironmentProblem as error:
            raise ProviderFailed(
                f"{error} The deletion of {name!r} is unfinished: run it again when the server answers."
            ) from error

    def _freeze(self, name: str, reason: str) -> None:
        self._finished(name)
        self._admin.change_config(name, block_writes=True, block_reason=reason)

    def _unfreeze(self, name: str) -> None:
        self._finished(name)
        self._admin.change_config(name, block_writes=False, block_reason=None)

    def _check_free(self, name: str) -> None:
        check_name(name)
        super()._check_free(name)

    def _row(self, name: str) -> Row:
        for row in self._rows():
            if row.name == name:
                return row
        raise base.UnknownEnvironment(f"There is no environment {name!r} any more.")

    def _finished(self, name: str) -> None:
        """Raises ``EnvironmentProblem`` for one that is unknown, being made or being deleted."""
        environment = self.get(name)
        if self._row(name).state is not State.READY:
            raise EnvironmentProblem(f"{name!r} cannot be used: {environment.frozen or 'unfinished'}.")

    def _address(self, name: str) -> str:
        return f"{self.url}?namespace={name}"

    def _entry(self, namespace: str) -> dict[str, Any]:
        return {
            "ENGINE": _ENGINE,
            "NAME": self._address(namespace),
            "OPTIONS": {**self._options, "auth_token": self._access.token(namespace)},
        }


def check_name(name: str) -> None:
    """Raises ``WrongName`` also for the names that AFN keeps for itself."""
    base.check_name(name)
    if name.startswith(RESERVED):
        raise WrongName(
            f"Names that begin with {RESERVED!r} are AFN's own, got {name!r}. Choose another one."
        )
