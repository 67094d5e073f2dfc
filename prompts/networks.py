"""Networks that the settings name. Imports no settings, for these are read by it."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def read_network(text: str) -> IPv4Network | IPv6Network:
    """A network, or one address; of IPv4 that is written as IPv6, that of IPv4. Raises ``ValueError``."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(
            "Expected networks such as 10.0.0.0/8, 2001:db8::/32 or 203.0.113.7, with no bits set behind the "
            "length"
        ) from error
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        first: IPv6Address = network.network_address
        return IPv4Network((int(first) & 0xFFFFFFFF, network.prefixlen - 96))
    return network
