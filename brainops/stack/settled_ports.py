"""The ports of an installation: chosen once, kept, and chosen anew only when somebody else took one."""

import json
from collections.abc import Mapping
from pathlib import Path

from brainops.stack.ports import free_port, is_free
from brainops.stack.secret_files import store

WEB_PORT = 8000
WEB_PORTS_TRIED = 20


class PortTaken(Exception):
    """The port that was asked for is in use."""


def settle_ports(path: Path, *, wanted_web_port: int | None) -> dict[str, int]:
    """Ports for postgres, valkey and web, saved in `path`.

    Raises PortTaken when `wanted_web_port` is given and in use; without it 8000 or the next free one is taken.
    """
    kept = _load(path)
    ports = {
        "postgres": _keep_or_choose(kept.get("postgres")),
        "valkey": _keep_or_choose(kept.get("valkey")),
        "web": _web_port(wanted_web_port, kept),
    }
    store(path, json.dumps(ports) + "\n")
    return ports


def _keep_or_choose(port: int | None) -> int:
    return port if port is not None and is_free(port) else free_port()


def _web_port(wanted: int | None, kept: Mapping[str, int]) -> int:
    if wanted is not None:
        if not is_free(wanted):
            raise PortTaken(f"Port {wanted} is in use. Give another one with --port, or end what listens there.")
        return wanted
    candidates: list[int] = [kept.get("web", WEB_PORT), *range(WEB_PORT, WEB_PORT + WEB_PORTS_TRIED)]
    for port in candidates:
        if is_free(port):
            return port
    raise PortTaken(f"No port from {WEB_PORT} to {WEB_PORT + WEB_PORTS_TRIED - 1} is free. Give one with --port.")


def _load(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: int(port) for name, port in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
