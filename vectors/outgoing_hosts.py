"""Where AFN may call: which addresses are public, and which hosts the operator allows besides.

Nothing here asks the network. `vectors.outgoing` applies it to URLs, `vectors.outgoing_network` to the
addresses that a name has. Sources: IANA's special-purpose address registries, and the address of Azure's
platform, which is special without being registered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ENTRY: Final = "host, host:port, *.suffix, or a network such as 10.1.0.0/16"


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in text.split())


# `is_global` knows most of these, but differs between releases of Python and lets multicast pass.
_NOT_PUBLIC: Final = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 "
    "192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
    "224.0.0.0/4 240.0.0.0/4 "
    # Of IPv6 only 2000::/3 is handed out; these are within: tunnels (Teredo, 6to4), documentation and others.
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Metadata of clouds, "this host", many at once: never meant by a name. Only an entry for the address itself
# leads there, so that `*.example.org` does not open them to whoever writes that zone.
_NEVER_BY_NAME: Final = _networks(
    "0.0.0.0/8 100.100.100.200/32 168.63.129.16/32 169.254.0.0/16 192.0.0.0/24 224.0.0.0/4 240.0.0.0/4 "
    "::/128 fd00:ec2::254/128 fe80::/10 ff00::/8"
)

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # as the end of a host: an address to some readers


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped or NAT64 one stands for, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Is it an ordinary address of the internet? False for every special-purpose one."""
    address = plain(address)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def read_host(host: str) -> Address | None:
    """The address that a host is, or None for a name; lower case, IPv6 without brackets.

    Raises ValueError for what is neither in its usual form: `127.1`, `0x7f.1`, `2130706433`, a dot at the
    end, an IPv6 zone, characters that no name has.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("An address with a zone")
        return IPv6Address(host)
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("Not a name")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return IPv4Address(host)  # takes four decimal numbers without leading zeros and nothing else
    return None


def is_loopback_name(host: str) -> bool:
    """RFC 6761: these are this machine, whatever DNS says."""
    return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True)
class Entry:
    """One of AFN_OUTGOING_ALLOWED: a name, the names below a suffix (`.example.org`), or a network."""

    name: str = ""
    suffix: str = ""
    network: Network | None = None
    port: int | None = None


def read_entry(text: str) -> Entry:
    """Raises ValueError, which says what an entry looks like."""
    try:
        return _entry(text.lower())
    except ValueError as error:
        raise ValueError(f"Expected {ENTRY}") from error


def _entry(text: str) -> Entry:
    if "/" in text:
        return Entry(network=ip_network(text))
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        return Entry(network=IPv6Network(bracketed[1]), port=_port(bracketed[2]))
    if text.count(":") > 1:
        return Entry(network=IPv6Network(text))
    host, colon, port = text.partition(":")
    number = _port(port if colon else None)
    is_suffix = host.startswith("*.")
    address = read_host(host.removeprefix("*."))
    if address is None:
        return Entry(suffix=host[1:], port=number) if is_suffix else Entry(name=host, port=number)
    if is_suffix:
        raise ValueError("No names end in an address")
    return Entry(network=ip_network(address), port=number)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65_535:
        raise ValueError("Not a port")
    return int(text)


@dataclass(frozen=True)
class Allowed:
    """What the operator allows besides public addresses."""

    entries: tuple[Entry, ...]

    def has_name(self, host: str, port: int) -> bool:
        """Is there an entry for this name?"""
        return any(
            (entry.name == host or (entry.suffix and host.endswith(entry.suffix)))
            and entry.port in (None, port)
            for entry in self.entries
        )

    def has_address(self, address: Address, port: int) -> bool:
        """Is there an entry for this address, or for a network that it is in?"""
        address = plain(address)
        return any(
            entry.network is not None and address in entry.network and entry.port in (None, port)
            for entry in self.entries
        )

    def may_reach(self, address: Address, host: str, port: int) -> bool:
        """May a connection be made to this address, which is one of `host`?"""
        if is_public(address) or self.has_address(address, port):
            return True
        is_special = any(plain(address) in network for network in _NEVER_BY_NAME)
        return not is_special and self.has_name(host, port)


def allowed(entries: Iterable[str]) -> Allowed:
    """The entries, read; raises ValueError for a wrong one."""
    return _allowed(tuple(entries))


@lru_cache(maxsize=16)
def _allowed(entries: tuple[str, ...]) -> Allowed:
    return Allowed(tuple(read_entry(entry) for entry in entries))
