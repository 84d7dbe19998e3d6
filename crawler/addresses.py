"""Where the crawler may connect to: public addresses, and the private hosts that a source's settings name.

Guards against server-side request forgery (a link, a redirect or a DNS answer that leads into our own network).
"""

import ipaddress
import socket
from collections.abc import Collection

from django.utils.translation import gettext as _

from crawler.errors import FetchError, ForbiddenAddressError

# Not public although `is_global` of Python 3.11 says so, or worth naming whatever it says.
_DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
        "64:ff9b::/96",  # NAT64: an IPv4 address inside
        "64:ff9b:1::/48",
        "2001::/23",  # Teredo and other protocol assignments
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address (without brackets) is one of the public internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # "fe80::1%eth0" is parsed; anything else that is not an address is not public
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id:
            return False
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
    return ip.is_global and not any(ip.version == network.version and ip in network for network in _DENIED)


def host_and_port(host: str, port: int) -> str:
    """`host:port` as in a URL, with brackets round an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def checked_addresses(host: str, port: int, *, private_hosts: Collection[str]) -> list[str]:
    """The IP addresses to connect to for `host`: resolved once, here, so that a later answer cannot differ.

    Every address that `host` has must be public, unless `private_hosts` names this very `host:port`.
    Raises ForbiddenAddressError when one is not, FetchError when the name has no address.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError) as error:
        raise FetchError(_("The address of %(host)s was not found.") % {"host": host}) from error
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise FetchError(_("The address of %(host)s was not found.") % {"host": host})
    where = host_and_port(host, port)
    # "shop.local" in the settings means its usual port, as in an address.
    named = where in private_hosts or (port in (80, 443) and where.rpartition(":")[0] in private_hosts)
    if not named:
        for address in addresses:
            if not is_public(address):
                message = _("%(host)s leads to %(address)s, which is not a public address: it was not fetched.")
                raise ForbiddenAddressError(message % {"host": where, "address": address})
    return addresses
