"""What an environment is, and what every provider of environments can do.

An environment is a whole database of its own (`prod`, `staging`, `feature-x`). The public methods of
:class:`Provider` hold the rules, once for all; a provider implements the methods with an underscore.
"""

import builtins
import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

    def backup(self, name: str, folder: Path) -> str:
        """Keep a copy of an environment as it is now, as a file in `folder`; what and where it is.

        Where a provider gives no files, the copy is an environment, too.
        """
        copy = f"backup-{datetime.now(UTC):%Y%m%d%H%M%S}-{name}"[:63].rstrip("-")
        self.fork(name, copy)
        return f"the environment {copy}"

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
    def _delete(self, name: str) -> None: ...

    @abstractmethod
    def _freeze(self, name: str, reason: str) -> None: ...

    @abstractmethod
    def _unfreeze(self, name: str) -> None: ...

    def _check_free(self, name: str) -> None:
        check_name(name)
        if any(environment.name == name for environment in self._list()):
            raise NameTaken(f"There is an environment {name!r} already. Choose another name, or delete it.")


def make_backup_folder(folder: Path) -> None:
    """Raises ``NotConfigured`` where it cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotConfigured(
            f"AFN_BACKUPS_DIR: expected a folder that can be written, got {folder}: {error.strerror}."
        ) from error


def check_name(name: str) -> None:
    """Names become parts of URLs, host names and file names, so they are strict."""
    if not NAME.fullmatch(name):
        raise WrongName(
            "Expected a name of 1 to 63 lower-case letters, digits and hyphens that begins with a letter, "
            f"got {name[:80]!r}."
        )
