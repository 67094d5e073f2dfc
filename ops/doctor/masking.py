"""What leaves this machine: without secrets, and without what tells of people or quotes their texts."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final

from ops.webhooks.errors import Unsealable
from ops.webhooks.sealing import sealed_columns, unseal
from prompts.models import User

from . import outside

MASK: Final = "***"
_LEAST: Final = 3  # characters of a name: shorter ones are found in everything
_USERS: Final = 50_000
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w.])"
)
_QUERY: Final = re.compile(r"\?[^\s\"'\\]+")
# A name, an id or a word may stay; a text that somebody wrote has spaces, or is long.
_QUOTED: Final = re.compile(r"'[^']*[\s][^']*'|\"[^\"]*[\s][^\"]*\"|'[^']{41,}'|\"[^\"]{41,}\"")


class Masker:
    """`secrets` are masked wherever they stand; `names` maps what users are called to their ids, and is None
    where the database could not be asked."""

    def __init__(self, secrets: Iterable[str] = (), names: Mapping[str, str] | None = None) -> None:
        self.knows_names = names is not None
        self._secrets = sorted({one for one in secrets if one}, key=len, reverse=True)
        self._names = {name.casefold(): key for name, key in (names or {}).items() if len(name) >= _LEAST}
        longest = sorted(map(re.escape, self._names), key=len, reverse=True)
        self._known = re.compile(rf"(?<!\w)(?:{'|'.join(longest)})(?!\w)", re.IGNORECASE) if longest else None

    def secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return outside.mask(text)

    def people(self, text: str) -> str:
        """The same without names, addresses, what was asked for, and quotations."""
        text = _QUOTED.sub("'…'", _QUERY.sub("?…", self.secrets(text)))
        text = _ADDRESS.sub(_address, _EMAIL.sub("<e-mail>", text))
        if self._known is not None:
            text = self._known.sub(lambda match: f"<user {self._names[match[0].casefold()]}>", text)
        return text

    def values(self, value: Any, *, people: bool = False) -> Any:
        """The same of every text in what JSON can hold."""
        if isinstance(value, str):
            return self.people(value) if people else self.secrets(value)
        if isinstance(value, dict):
            return {self.secrets(str(name)): self.values(one, people=people) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(one, people=people) for one in value]
        return value


def stored_secrets() -> list[str]:
    """Those that the database keeps in a form that can be read again, as of webhooks: `sealed_…`."""
    found = []
    for model, names in sealed_columns():
        for row in model._default_manager.values_list(*names):
            for sealed in filter(None, row):
                with suppress(Unsealable):  # then nobody here can have written it anywhere
                    found.append(unseal(sealed))
    return found


def user_names() -> dict[str, str]:
    found: dict[str, str] = {}
    rows = User.objects.values_list("pk", "username", "email", "clerk_id")[:_USERS]
    for key, *names in rows:
        found |= {name: key for name in names if name}
    return found


def _address(match: re.Match[str]) -> str:
    try:
        found = ip_address(match[0])
    except ValueError:
        return match[0]
    return match[0] if found.is_loopback or found.is_unspecified else "<address>"
