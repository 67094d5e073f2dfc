"""Environments that are databases at Turso: those of one organization in one group, under their own names.

The configured database's host tells which of them is the current one. A fork is a branch. Turso blocks
writes without a reason, so the one that ``freeze`` is given is not kept: whoever writes sees Turso's error.
A deleted database may be restored for a while where the organization has that turned on at Turso.
"""

import builtins
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db.utils import ConnectionHandler, DatabaseError

from . import base
from .base import NAME, Environment, EnvironmentProblem, NotConfigured, ProviderFailed, Token, check_name
from .dump_loading import load_dump
from .opening import opened_database
from .row_copying import copy_rows
from .secret_text import SecretText
from .sqld_dump import dump
from .tokens import check_lifetime
from .turso_api import Api, Database

_ENGINE = "afn_project.libsql"
_FILE, _NEW = "load:file", "load:new"  # aliases
_FROZEN = "writes are blocked at Turso, which keeps no reason"
_LIFE = timedelta(hours=4)  # as long as a rehearsed migration may take
# Seconds between two looks at a new database, about five minutes in all.
_PAUSES = (0.2, 0.5, 1, 2, *[5] * 60)


class Provider(base.Provider):
    """The databases of `group`. ``host`` is that of the database `current`; ``options`` go to the engine."""

    kind = "turso"

    def __init__(
        self,
        api: Api,
        *,
        group: str,
        current: str,
        host: str,
        protected: Collection[str] = (),
        options: Mapping[str, Any] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(current=current, protected=protected)
        self._api = api
        self._group = group
        self._host = host
        self._options = dict(options or {})
        self._pause = pause

    @classmethod
    def from_settings(cls) -> Self:
        """The provider of the configured database. Raises ``NotConfigured``."""
        organization, token = settings.TURSO_ORGANIZATION, settings.TURSO_API_TOKEN
        if not organization or not token:
            raise NotConfigured(
                f"{'TURSO_API_TOKEN' if organization else 'TURSO_ORGANIZATION'} is not set: environments at "
                "Turso need TURSO_API_TOKEN, which `turso auth api-tokens mint NAME` makes, and "
                "TURSO_ORGANIZATION, which `turso org list` shows."
            )
        api = Api(url=settings.TURSO_API_URL, organization=organization, token=token)
        database = settings.DATABASES["default"]
        host = urlsplit(str(database["NAME"])).hostname or ""
        return cls(
            api,
            group=settings.TURSO_GROUP,
            current=database_name(host, api.organization),
            host=host,
            protected=settings.AFN_PROTECTED_ENVIRONMENTS,
            options={key: value for key, value in database["OPTIONS"].items() if key != "auth_token"},
        )

    @property
    def protection_hint(self) -> str:
        return "AFN_PROTECTED_ENVIRONMENTS names it, or its delete protection is turned on at Turso"

    def fork(self, source: str, name: str) -> Environment:
        check_name(name)  # before Turso is asked for anything
        return super().fork(source, name)

    def capture(self, name: str, file: Path) -> None:
        dumped = file.with_suffix(".sql")
        url = self.get(name).address.replace("libsql://", "https://", 1)
        try:
            dump(url, "", self._token(name), dumped)
            load_dump(dumped, file)
        finally:
            dumped.unlink(missing_ok=True)

    def database(self, name: str) -> dict[str, Any]:
        environment = self.get(name)
        return self._entry(environment.address, self._token(name))

    def needs_token(self, name: str) -> bool:
        return name != self.current

    def mint_token(
        self, name: str, *, read_only: bool, lifetime: timedelta, allow_long: bool = False
    ) -> Token:
        check_name(name)
        check_lifetime(lifetime, allow_long=allow_long)
        expires_at = (datetime.now(UTC) + lifetime).replace(microsecond=0)
        text = self._api.mint_token(name, read_only=read_only, lifetime=lifetime)
        return Token(text, expires_at, name, "ro" if read_only else "rw")

    def _list(self) -> builtins.list[Environment]:
        databases = self._api.databases(self._group)
        if (self.current, self._host) not in [(database.name, database.hostname) for database in databases]:
            raise NotConfigured(
                f"TURSO_GROUP: expected the group at Turso of the database that this process works on "
                f"({self._host}), got {self._group!r}. Groups of {self._api.organization}: {self._groups()}."
            )
        return [self._environment(database) for database in databases if NAME.fullmatch(database.name)]

    def _groups(self) -> str:
        locations = self._api.locations()
        groups = {group.name: group.primary for group in self._api.groups()}
        return ", ".join(f"{name} ({locations.get(code, code)})" for name, code in sorted(groups.items()))

    def _environment(self, database: Database) -> Environment:
        parent = database.parent
        return Environment(
            name=database.name,
            address=self._address(database),
            is_current=database.name == self.current,
            is_protected=database.delete_protection or database.name in self.protected,
            frozen=_FROZEN if database.block_writes else "",
            parent=parent.name if parent else "",
            created_at=parent.branched_at if parent else None,
        )

    def _create(self, name: str) -> None:
        self._make(name)

    def _fork(self, source: str, name: str) -> None:
        self._make(name, source)

    def _make(self, name: str, source: str = "") -> None:
        self._api.create(name, group=self._group, source=source)
        try:
            made = self._wait_for(name)
            # Whether a branch takes them over from its source, no page says.
            settings_of_source = {
                field: False for field in ("block_writes", "delete_protection") if getattr(made, field)
            }
            if settings_of_source:
                self._api.configure(name, **settings_of_source)
        except EnvironmentProblem as error:
            self._undo(name, error)
            raise

    def _wait_for(self, name: str) -> Database:
        """The new database, as soon as it is listed and answers."""
        token, said = SecretText(), "It is not in the list of databases."
        for seconds in _PAUSES:
            for database in self._api.databases(self._group):
                if database.name == name:
                    token = token or self._token(name)
                    said = _failure(self._entry(self._address(database), token))
                    if not said:
                        return database
            self._pause(seconds)
        raise ProviderFailed(
            f"Turso made {name!r}, but it did not answer within {sum(_PAUSES):.0f} s: {said}"
        )

    def _undo(self, name: str, error: EnvironmentProblem) -> None:
        try:
            self._api.delete(name)
        except EnvironmentProblem as problem:
            raise ProviderFailed(
                f"{error} {name!r} could not be removed again: do so with `manage.py environments delete "
                f"{name}`. ({problem})"
            ) from problem

    def _load(self, name: str, file: Path) -> None:
        self._make(name)
        with opened_database(_FILE, self.file_database(file)), opened_database(_NEW, self.database(name)):
            copy_rows(_FILE, _NEW)

    def _replace(self, name: str, source: str, kept: str) -> str:
        raise EnvironmentProblem(
            f"At Turso a database keeps its address, so that {source!r} cannot take the place of {name!r}. "
            f"It is ready: set TURSO_DATABASE_URL to {self.get(source).address}, and start AFN again."
        )

    def _delete(self, name: str) -> None:
        self._api.delete(name)

    def _freeze(self, name: str, reason: str) -> None:
        self._api.configure(name, block_writes=True)

    def _unfreeze(self, name: str) -> None:
        self._api.configure(name, block_writes=False)

    def _token(self, name: str) -> SecretText:
        return self._api.mint_token(name, read_only=False, lifetime=_LIFE)

    def _address(self, database: Database) -> str:
        # Without TLS only where the API itself is one of this machine, for tests.
        scheme = "http" if self._api.url.startswith("http://") else "libsql"
        return f"{scheme}://{database.hostname}"

    def _entry(self, address: str, token: SecretText) -> dict[str, Any]:
        return {
            "ENGINE": _ENGINE,
            "NAME": address,
            "OPTIONS": {**self._options, "auth_token": token},
        }


def database_name(host: str, organization: str) -> str:
    """The database in a host such as ``prod-acme.aws-eu-west-1.turso.io``. Raises ``NotConfigured``."""
    label = host.partition(".")[0]
    name = label.removesuffix(f"-{organization.lower()}")
    if name == label or not NAME.fullmatch(name):
        raise NotConfigured(
            "TURSO_ORGANIZATION: expected the organization in the host of TURSO_DATABASE_URL, which is "
            f"DATABASE-ORGANIZATION.REGION.turso.io; got {organization!r} for {host}."
        )
    return name


def _failure(entry: dict[str, Any]) -> str:
    """Why a database does not answer, empty where it does."""
    connection = ConnectionHandler({"default": entry})["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return ""
