"""The address rule: which IP addresses an outbound connection may go to.

An allow rule, not a deny list: an address is public only when it is globally routable unicast and hides no
other address. `ipaddress.is_global` alone is not enough: it is true for multicast, NAT64, `fec0::/10` and,
up to Python 3.12, for 6to4 (IANA special-purpose registries, RFC 6890).
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Verdict(Enum):
    """What the rule says about an address."""

    PUBLIC = "public"
    PRIVATE = "private"  # only for hosts on the allow list
    NEVER = "never"  # not even then: nothing a workflow needs lives there


_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host (RFC 791); Linux connects 0.0.0.0 to loopback
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # wire server of Azure: public by number, private by meaning
        "169.254.0.0/16",  # link-local, with the metadata of most clouds
        "192.0.0.0/24",  # protocol assignments, with the metadata of Oracle Cloud
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/96",  # unspecified and IPv4-compatible; ::1 is handled before
        "64:ff9b::/96",  # NAT64: hides an IPv4 address
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo: hides an IPv4 address
        "2002::/16",  # 6to4: hides an IPv4 address
        "fd00:ec2::/32",  # metadata of AWS over IPv6
        "fd20:ce::254/128",  # metadata of Google Cloud over IPv6
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, withdrawn
        "ff00::/8",  # multicast
    )
)
# Not special in the tables of every Python this runs on (3fff::/20: RFC 9637).
_NOT_PUBLIC = tuple(ipaddress.ip_network(network) for network in ("3fff::/20", "100.64.0.0/10"))
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_LOOPBACK_V6 = ipaddress.IPv6Address("::1")


@lru_cache(maxsize=4096)
def judge(address: str) -> Verdict:
    """Judge one literal address as the resolver wrote it. Raises ValueError when it is none.

    IPv4-mapped IPv6 (`::ffff:10.0.0.1`) is judged as the IPv4 address that the kernel would connect to.
    """
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip != _LOOPBACK_V6 and _is_in(ip, _NEVER):
        return Verdict.NEVER
    return Verdict.PUBLIC if _is_public(ip) else Verdict.PRIVATE


def _is_public(ip: Address) -> bool:
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or _is_in(ip, _NOT_PUBLIC))


def _is_in(ip: Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)
