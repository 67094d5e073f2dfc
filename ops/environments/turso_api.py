"""Turso's Platform API, as far as environments need it.

The shapes are those of https://docs.turso.tech/api-reference and of the ``openapi.json`` behind it; each
method names its page there.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from .base import NotConfigured, check_name
from .secret_text import SecretText
from .turso_http import Answer, Client

_MAX_PAGES = 100
Model = TypeVar("Model", bound=BaseModel)


class Parent(BaseModel):
    """The database that another was branched from."""

    name: str = ""
    branched_at: datetime | None = None


class Database(BaseModel):
    """A database, as databases/list gives it."""

    name: str = Field(alias="Name")
    hostname: str = Field(alias="Hostname", pattern=r"^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$")
    group: str = ""
    block_writes: bool = False
    delete_protection: bool = False
    parent: Parent | None = None


class Group(BaseModel):
    """Where databases are: ``primary`` is the code of a location."""

    name: str
    primary: str = ""


class _Next(BaseModel):
    next: str | None = None


class _Page(BaseModel):
    databases: list[Database]
    pagination: _Next | None = None


class _Groups(BaseModel):
    groups: list[Group]


class _Locations(BaseModel):
    locations: dict[str, str]


class Api:
    """The API for one organization, named by its slug.

    A name that is not strict raises ``WrongName`` and sends nothing; every other failure is an
    ``EnvironmentProblem``, too.
    """

    def __init__(
        self, *, url: str, organization: str, token: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", organization):
            raise NotConfigured(
                "TURSO_ORGANIZATION: expected the slug that `turso org list` shows, of letters, digits and "
                f"hyphens, got {organization[:80]!r}."
            )
        self.organization = organization
        self._client = Client(url, token, pause)

    @property
    def url(self) -> str:
        return self._client.url

    def databases(self, group: str) -> list[Database]:
        """databases/list: all of a group.

        Further pages, if any, are asked for as Turso's own command line does; no page documents them.
        """
        found, query = list[Database](), {"group": group}
        for _ in range(_MAX_PAGES):
            page = self._parsed(_Page, self._client.send("GET", self._path("databases"), query=query))
            found += [database for database in page.databases if database.group == group]
            if page.pagination is None or not page.pagination.next:
                return found
            query["cursor"] = page.pagination.next
        raise self._client.foreign("a list without an end")

    def create(self, name: str, *, group: str, source: str = "") -> None:
        """databases/create: an empty database, or a branch of `source`. Raises ``NameTaken``."""
        check_name(name)
        body: Answer = {"name": name, "group": group}
        if source:
            body["seed"] = {"type": "database", "name": source}
        self._client.send("POST", self._path("databases"), body=body)

    def delete(self, name: str) -> None:
        """databases/delete. Raises ``UnknownEnvironment``."""
        self._client.send("DELETE", self._database(name))

    def configure(self, name: str, **changes: bool) -> None:
        """databases/update-configuration: set these fields and leave the others."""
        answer = self._client.send("PATCH", f"{self._database(name)}/configuration", body=changes)
        if any(answer.get(field) != value for field, value in changes.items()):
            raise self._client.foreign("a configuration other than the one that was asked for")

    def mint_token(self, name: str, *, read_only: bool, lifetime: timedelta) -> SecretText:
        """databases/create-token: a token for SQL in one database, which only expires."""
        query = {
            "expiration": _duration(lifetime),
            "authorization": "read-only" if read_only else "full-access",
        }
        answer = self._client.send("POST", f"{self._database(name)}/auth/tokens", query=query)
        token = answer.pop("jwt", None)
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise self._client.foreign("no token")
        return SecretText(token)

    def groups(self) -> list[Group]:
        """groups/list"""
        return self._parsed(_Groups, self._client.send("GET", self._path("groups"))).groups

    def locations(self) -> dict[str, str]:
        """locations/list: from a code such as ``aws-eu-west-1`` to a name for people."""
        return self._parsed(_Locations, self._client.send("GET", "locations")).locations

    def _path(self, what: str) -> str:
        return f"organizations/{self.organization}/{what}"

    def _database(self, name: str) -> str:
        check_name(name)
        return self._path(f"databases/{name}")

    def _parsed(self, model: type[Model], answer: Answer) -> Model:
        try:
            return model.model_validate(answer)
        except ValidationError:  # not chained: its text quotes the answer
            pass
        raise self._client.foreign("an answer of another shape")


def _duration(lifetime: timedelta) -> str:
    """As in ``2w1d30m``, in days, hours, minutes and seconds."""
    minutes, seconds = divmod(int(lifetime.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
