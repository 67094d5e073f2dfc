"""What an environment is, and what every provider of environments can do.

An environment is a whole database of its own (`prod`, `staging`, `feature-x`). The public methods of
:class:`Provider` hold the rules, once for all; a provider implements the methods with an underscore.
"""

import builtins
import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from .secret_text import SecretText

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
MAX_REASON = 200


class EnvironmentProblem(Exception):
    """Nothing was changed; the text says what was expected, what came and what to do. Never a secret."""


class WrongName(EnvironmentProblem):
    """The name could not be an environment's."""


class UnknownEnvironment(EnvironmentProblem):
    """There is no environment of that name."""


class NameTaken(EnvironmentProblem):
    """There is an environment of that name already."""


class Protected(EnvironmentProblem):
    """The environment is the current one, or protected from deletion."""


class NotConfigured(EnvironmentProblem):
    """A setting that the provider needs is missing or wrong."""


class ProviderFailed(EnvironmentProblem):
    """The provider could not be reached, or refused."""


@dataclass(frozen=True)
class Token:
    """A token and what it is good for: one namespace, or all of the server's (None)."""

    text: SecretText = field(repr=False)
    expires_at: datetime
    namespace: str | None
    access: Literal["rw", "ro"]


@dataclass(frozen=True)
class Environment:
    """One environment. ``address`` holds no secret; ``frozen`` is the reason why writes are blocked."""

    name: str
    address: str
    is_current: bool = False
    is_protected: bool = False
    frozen: str = ""
    parent: str = ""
    created_at: datetime | None = None
    size: int | None = None  # bytes

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "address": self.address,
            "current": self.is_current,
            "protected": self.is_protected,
            "frozen": self.frozen or None,
            "parent": self.parent or None,
            "created_at": self.created_at and self.created_at.isoformat(),
            "size": self.size,
        }


class Provider(ABC):
    """Where environments live. ``current`` is the name of the one that this process works on.

    Every method raises an :class:`EnvironmentProblem`, and nothing has changed then.
    """

    kind: ClassVar[str]

    def __init__(self, *, current: str, protected: Collection[str] = ()) -> None:
        self.current = current
        self.protected = frozenset(protected)

    def list(self) -> builtins.list[Environment]:
        """All environments, by name."""
        return sorted(self._list(), key=lambda environment: environment.name)

    def get(self, name: str) -> Environment:
        check_name(name)
        found = {environment.name: environment for environment in self._list()}
        if name not in found:
            there = ", ".join(sorted(found)) or "none yet"
            raise UnknownEnvironment(f"There is no environment {name!r}. There are: {there}.")
        return found[name]

    def create(self, name: str) -> Environment:
        """Make an empty database, without tables."""
        self._check_free(name)
        self._create(name)
        return self.get(name)

    def fork(self, source: str, name: str) -> Environment:
        """Copy an environment as it is at one moment, while others go on writing. A copy is never frozen."""
        self.get(source)
        self._check_free(name)
        self._fork(source, name)
        return self.get(name)

    def load(self, name: str, file: Path) -> Environment:
        """Make an environment of a libSQL file, as `capture` writes one; the file may be used up by it."""
        self._check_free(name)
        self._load(name, file)
        return self.get(name)

    def replace(self, name: str, *, source: str, kept: str) -> str:
        """Put what is in `source` into the place of an environment, in one step for whoever uses it, also of
        the current one; where what was there is now, for messages: the environment `kept`, if it can be one.

        `source` is gone then. Nobody else should be at work on it, others may be on `name`.
        """
        self.get(source)
        self._check_free(kept)
        return self._replace(name, source, kept)

    def delete(self, name: str) -> None:
        """Remove an environment and all that is in it; refused for the current and for protected ones."""
        self.check_deletion(name)
        self._delete(name)

    def check_deletion(self, name: str) -> None:
        """Raise what ``delete`` would raise, before anybody is asked whether they are sure."""
        environment = self.get(name)
        if environment.is_current:
            raise Protected(
                f"{name!r} is the environment that this process works on. Delete it from another one."
            )
        if environment.is_protected:
            raise Protected(f"{name!r} is protected from deletion: {self.protection_hint}.")

    def freeze(self, name: str, reason: str) -> Environment:
        """Block writes; whoever tries to write sees the reason. Reading goes on."""
        self._freeze(name, self.check_freezing(name, reason))
        return self.get(name)

    def check_freezing(self, name: str, reason: str) -> str:
        """Raise what ``freeze`` would raise, before anything is done; the reason as it will be shown."""
        self.get(name)
        reason = " ".join(reason.split())
        if not reason or len(reason) > MAX_REASON or not reason.isprintable():
            raise EnvironmentProblem(
                f"reason: expected a text of 1 to {MAX_REASON} characters that users will see, "
                f"got {len(reason)} characters."
            )
        return reason

    def unfreeze(self, name: str) -> Environment:
        self.get(name)
        self._unfreeze(name)
        return self.get(name)

    @abstractmethod
    def capture(self, name: str, file: Path) -> None:
        """Write an environment as it is at one moment to a libSQL file that is not there yet, while others
        go on writing. The file appears when it is whole, and `file_database` opens it.
        """

    def file_database(self, file: Path) -> dict[str, Any]:
        """The entry of ``DATABASES`` that opens a file that `capture` wrote."""
        return {"ENGINE": "afn_project.libsql", "NAME": str(file), "OPTIONS": {}}

    @abstractmethod
    def database(self, name: str) -> dict[str, Any]:
        """The entry of ``DATABASES`` that opens an environment; its token, if any, is a ``Secret``."""

    def needs_token(self, name: str) -> bool:
        """Whether who works on an environment needs another token than this process has."""
        return False

    def mint_token(
        self, name: str, *, read_only: bool, lifetime: timedelta, allow_long: bool = False
    ) -> Token:
        """A token for SQL in one environment. Commands alone may show it: SQL is access to files."""
        raise NotConfigured("Local files need no token: whoever may read the file may read the database.")

    @property
    def protection_hint(self) -> str:
        """What decides about protection, for messages."""
        return "AFN_PROTECTED_ENVIRONMENTS names it"

    @abstractmethod
    def _list(self) -> builtins.list[Environment]: ...

    @abstractmethod
    def _create(self, name: str) -> None: ...

    @abstractmethod
    def _fork(self, source: str, name: str) -> None: ...

    @abstractmethod
    def _load(self, name: str, file: Path) -> None: ...

    @abstractmethod
    def _replace(self, name: str, source: str, kept: str) -> str: ...

    @abstractmethod
    def _delete(self, name: str) -> None: ...

    @abstractmethod
    def _freeze(self, name: str, reason: str) -> None: ...

    @abstractmethod
    def _unfreeze(self, name: str) -> None: ...

    def _check_free(self, name: str) -> None:
        check_name(name)
        if any(environment.name == name for environment in self._list()):
            raise NameTaken(f"There is an environment {name!r} already. Choose another name, or delete it.")


def check_name(name: str) -> None:
    """Names become parts of URLs, host names and file names, so they are strict."""
    if not NAME.fullmatch(name):
        raise WrongName(
            "Expected a name of 1 to 63 lower-case letters, digits and hyphens that begins with a letter, "
            f"got {name[:80]!r}."
        )
