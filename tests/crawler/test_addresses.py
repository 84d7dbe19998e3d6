import socket

import pytest

from crawler.addresses import checked_addresses, is_public
from crawler.errors import FetchError, ForbiddenAddressError

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.0.0.8"),
    *("192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "255.255.255.255", "192.88.99.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "3fff::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "5f00::1"),
    *("not an address", ""),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_it_denies(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_it_allows(address):
    assert is_public(address)


def _answers(monkeypatch, *addresses):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    _answers(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(ForbiddenAddressError, match=r"10\.0\.0\.1"):
        checked_addresses("shop.example", 80, private_hosts=())


def test_it_returns_the_addresses_that_were_checked(monkeypatch):
    _answers(monkeypatch, "1.1.1.1", "1.0.0.1")
    assert checked_addresses("shop.example", 80, private_hosts=()) == ["1.1.1.1", "1.0.0.1"]


def test_a_named_private_host_is_allowed_at_its_port_only(monkeypatch):
    _answers(monkeypatch, "127.0.0.1")
    assert checked_addresses("shop.local", 8010, private_hosts=["shop.local:8010"]) == ["127.0.0.1"]
    with pytest.raises(ForbiddenAddressError):
        checked_addresses("shop.local", 6379, private_hosts=["shop.local:8010"])
    assert checked_addresses("shop.local", 80, private_hosts=["shop.local"])
    with pytest.raises(ForbiddenAddressError):
        checked_addresses("shop.local", 6379, private_hosts=["shop.local"])
    with pytest.raises(ForbiddenAddressError):
        checked_addresses("other.local", 8010, private_hosts=["shop.local:8010"])


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_a_private_address_are_seen_through(host):
    with pytest.raises(FetchError):  # the resolver turns it into 127.0.0.1, or knows no such name
        checked_addresses(host, 80, private_hosts=())


def test_a_name_without_an_address_is_told(monkeypatch):
    def fails(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(FetchError, match=r"shop\.example was not found"):
        checked_addresses("shop.example", 80, private_hosts=())
