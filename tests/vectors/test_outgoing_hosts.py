"""Which addresses are public, which hosts are hosts, and what the operator's entries mean."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectors.outgoing_hosts import allowed, is_public, read_entry, read_host

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::10.1.2.3 64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1::808:808
100::1 2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::
2002:808:808:: 3fff::1 4000::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 198.20.0.1
223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2001:200::1 2001:4860:4860::8888 2606:4700::1111 2a00:1450::1
"""
NO_HOSTS = """
0x7f.1 0x7f000001 2130706433 127.1 127.0.1 0177.0.0.1 127.0.0.1. 1.2.3.4.5 256.1.1.1 a.0x7f a.1 0x
example.com. a..b .a -a.org a-.org EXAMPLE.org exa%6dple.org a%00b fe80::1%eth0 [::1] : ::1: a_b/ a@b a\\b
bücher.de １２７.０.０.１
"""
NO_ENTRIES = """
* *.* *.10.0.0.1 a.org:0 a.org:65536 a.org: a.org:x https://a.org a.org/ 10.1.0.1/16 10.1.0.0/33
[::1 [::1]:0 ::1% 127.1 0x7f.1 a..org user@a.org a.org. bücher.de *a.org a.*.org :8080
"""


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_ordinary_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_public_that_python_knows_for_special(address: IPv4Address | IPv6Address) -> None:
    if is_public(address) and not (isinstance(address, IPv6Address) and address.ipv4_mapped):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_a_mapped_or_translated_address_is_as_public_as_the_one_within(address: IPv4Address) -> None:
    for start in ("::ffff:0:0", "64:ff9b::"):
        assert is_public(IPv6Address(int(IPv6Address(start)) + int(address))) == is_public(address)


@pytest.mark.parametrize("host", NO_HOSTS.split())
def test_a_host_has_one_form(host: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_host(host)


@pytest.mark.parametrize("host", ["", " ", "a b", "a\tb", "a\n", "a" * 64 + ".org", "a." * 130 + "org"])
def test_a_host_has_neither_spaces_nor_endless_parts(host: str) -> None:
    with pytest.raises(ValueError, match="Not a name"):
        read_host(host)


def test_names_and_addresses_are_told_apart() -> None:
    for name in ("localhost", "a.example.org", "xn--bcher-kva.example", "_x.a_b.org", "1.example", "0x7.org"):
        assert read_host(name) is None
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "2001:db8::1"):
        assert read_host(address) == ip_address(address)


def reaches(entries: str, host: str, port: int, address: str) -> bool:
    return allowed(entries.split()).may_reach(ip_address(address), host, port)


@pytest.mark.parametrize(
    ("entries", "host", "port", "address", "expected"),
    [
        ("", "a.org", 443, "8.8.8.8", True),
        ("", "a.org", 443, "10.0.0.1", False),
        ("a.org", "a.org", 80, "10.0.0.1", True),
        ("A.Org", "a.org", 80, "127.0.0.1", True),
        ("a.org", "b.a.org", 443, "10.0.0.1", False),
        ("a.org:8080", "a.org", 8080, "10.0.0.1", True),
        ("a.org:8080", "a.org", 443, "10.0.0.1", False),
        ("*.a.org", "b.a.org", 443, "10.0.0.1", True),
        ("*.a.org", "c.b.a.org", 443, "10.0.0.1", True),
        ("*.a.org", "a.org", 443, "10.0.0.1", False),
        ("*.a.org", "evila.org", 443, "10.0.0.1", False),
        ("*.a.org:8443", "b.a.org", 443, "10.0.0.1", False),
        ("10.1.0.0/16", "any.org", 443, "10.1.2.3", True),
        ("10.1.0.0/16", "any.org", 443, "10.2.0.1", False),
        ("10.1.0.0/16", "any.org", 443, "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "any.org", 443, "64:ff9b::10.1.2.3", True),
        ("10.1.2.3:8080", "10.1.2.3", 8080, "10.1.2.3", True),
        ("10.1.2.3:8080", "10.1.2.3", 443, "10.1.2.3", False),
        ("[::1]:8080", "::1", 8080, "::1", True),
        ("::1", "::1", 8080, "::1", True),
        ("fd00::/8", "any.org", 443, "fd12::1", True),
        # A name leads to no metadata, whoever writes its zone.
        ("*.a.org", "b.a.org", 443, "169.254.169.254", False),
        ("b.a.org", "b.a.org", 443, "::ffff:169.254.169.254", False),
        ("b.a.org", "b.a.org", 443, "fd00:ec2::254", False),
        ("b.a.org", "b.a.org", 443, "0.0.0.0", False),
        ("169.254.169.254", "b.a.org", 443, "169.254.169.254", True),
    ],
)
def test_an_entry_permits_what_it_names_and_no_more(
    entries: str, host: str, port: int, address: str, expected: bool
) -> None:
    assert reaches(entries, host, port, address) is expected


@pytest.mark.parametrize("entry", NO_ENTRIES.split())
def test_a_wrong_entry_says_what_one_looks_like(entry: str) -> None:
    with pytest.raises(ValueError, match=r"host:port, \*\.suffix, or a network"):
        read_entry(entry)
