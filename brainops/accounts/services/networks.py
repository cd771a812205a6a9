"""Networks that an API key may be used from, as CIDR texts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from brainops.core.errors import InvalidInput, Problem

MOST = 50


def checked_networks(networks: Iterable[str], *, pointer: str = "/networks") -> list[str]:
    """The networks in their one spelling, without repeats; a single address is a network of one.

    Raises InvalidInput that names every text that is none, and every network with bits behind its length: whoever
    writes 10.0.0.7/8 may have meant the one address.
    """
    found: list[str] = []
    problems: list[Problem] = []
    for index, text in enumerate(networks):
        try:
            found.append(str(ip_network(text.strip())))
        except ValueError as error:
            said = f"{text[:60]!r} is no network such as 203.0.113.0/24 or 2001:db8::/32: {error}."
            problems.append(Problem("invalid_network", said, f"{pointer}/{index}"))
    if problems:
        raise InvalidInput.from_problems(problems)
    return list(dict.fromkeys(found))


def is_within(ip: str, networks: Iterable[str]) -> bool:
    """True when the address lies in one of the networks. An unknown address lies in none."""
    if not ip:
        return False
    address = ip_address(ip)
    return any(address in _network(text) for text in networks)


@lru_cache(maxsize=1024)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
