"""The allow list: private targets that this installation's workflows may call, and the ports of public ones.

`BRAINOPS_EGRESS_ALLOW` is a comma-separated list of `host:port`. A host stands as the URL writes it: a name
(`crm.internal:8080`), an IPv4 address or a bracketed IPv6 address. `*` for the port means any (`127.0.0.1:*`, meant
for development and tests). Hosts have no wildcards. An entry opens private addresses for that host only; link-local,
metadata, multicast and reserved addresses stay closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from brainops.core.egress.errors import BlockedTarget, EgressError
from brainops.core.egress.hosts import Host, parse_host
from brainops.core.egress.rules import Verdict, judge

# Where HTTP services of the public internet listen. Others (mail, databases, caches) need an entry.
PUBLIC_PORTS = frozenset({80, 443, 3000, 5000, 8000, 8008, 8080, 8081, 8443, 8888, 9443})
ANY_PORT = 0


@dataclass(frozen=True, slots=True)
class AllowList:
    """The hosts and ports of `BRAINOPS_EGRESS_ALLOW`. Empty: public addresses only."""

    entries: frozenset[tuple[str, int]] = frozenset()

    def has(self, host: Host, port: int) -> bool:
        """True when an entry names this host, as written, with this port."""
        return (host.text, port) in self.entries or (host.text, ANY_PORT) in self.entries

    def check_target(self, host: Host, port: int, *, ports: frozenset[int] = PUBLIC_PORTS) -> None:
        """Refuse what needs no lookup to be refused: a port off the list, a forbidden literal address."""
        if not self.has(host, port) and port not in ports:
            raise BlockedTarget(f"Port {port} of {host} is not open for workflows. {_way_out(host, port)}")
        if host.is_address:
            self.check_address(host, port, host.text)

    def check_address(self, host: Host, port: int, address: str) -> None:
        """Refuse an address that is neither public nor private on the list."""
        verdict = judge(address)
        if verdict is Verdict.PUBLIC or (verdict is Verdict.PRIVATE and self.has(host, port)):
            return
        kind = "an address" if host.is_address else "a name for an address"
        if verdict is Verdict.NEVER:
            raise BlockedTarget(f"{host} is {kind} that workflows may never call.")
        raise BlockedTarget(f"{host} is {kind} that is not public. {_way_out(host, port)}")


def parse_allow_list(entries: str | Iterable[str]) -> AllowList:
    """Read `host:port` entries. Raises ValueError that names the entry that is wrong."""
    texts = entries.split(",") if isinstance(entries, str) else entries
    return AllowList(frozenset(_parse_entry(text.strip()) for text in texts if text.strip()))


def _parse_entry(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if port != "*" and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"BRAINOPS_EGRESS_ALLOW: {text!r} has no port; write host:port, like crm.internal:8080.")
    try:
        return parse_host(host).text, ANY_PORT if port == "*" else int(port)
    except EgressError as error:
        raise ValueError(f"BRAINOPS_EGRESS_ALLOW: {text!r}: {error.message}") from error


def _way_out(host: Host, port: int) -> str:
    return f"An operator can open it with BRAINOPS_EGRESS_ALLOW={host}:{port}."
