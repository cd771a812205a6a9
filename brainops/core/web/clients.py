"""Who is at the other end of the connection."""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# The address of the client being served by this thread, "" outside of a request. Bound by core.web.context.
current_ip: ContextVar[str] = ContextVar("client_ip", default="")


def client_ip(request: HttpRequest) -> str:
    """The client's address; "" when the server tells none (a unix socket).

    X-Forwarded-For counts only as far as it was written by our own proxies: with `n` trusted proxies the n-th entry
    from the right is what the outermost of them saw. Everything further left was sent by the client and proves nothing.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    proxies: int = settings.BRAINOPS_TRUSTED_PROXIES
    if not proxies:
        return _valid(peer)
    entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    if len(entries) < proxies:
        return _valid(peer)
    return _valid(entries[-proxies]) or _valid(peer)


@lru_cache(maxsize=4096)
def network_of(ip: str) -> str:
    """The network that counts as one visitor: an IPv4 address, an IPv6 /64 (one subscriber owns all of it)."""
    if not ip:
        return "unknown"
    address = ip_address(ip)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


@lru_cache(maxsize=4096)
def _valid(text: str) -> str:
    """The address in its one spelling, "" for anything else."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
