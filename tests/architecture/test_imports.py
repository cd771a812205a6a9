"""Imports run one way, and only listed rooms touch the network."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import CHECKOUT, Source, all_sources

# What opens connections or listens. Our own database and broker go through their drivers (psycopg2, redis, celery).
NETWORK = {
    "aiohttp",
    "ftplib",
    "http.client",
    "http.server",
    "httpcore2",
    "httpx",
    "httpx2",
    "imaplib",
    "nntplib",
    "poplib",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "wsgiref.simple_server",
    "xmlrpc",
}
# The rooms that may, each with its reason.
ROOMS = {
    "brainops/core/egress/": "the one outbound door",
    "integrations/runner/": "wire protocols, over addresses the door has checked",
    "webhooks/mail/imap/": "reads mailboxes, over addresses the door has checked",
    "webhooks/mail/smtp/": "listens for mail",
    "brainops/stack/": "the launcher looks for free ports and asks the product whether it is up",
    "benchmarks/": "the load comes from outside",
}


def imported_modules(source: Source) -> set[str]:
    """Every dotted name a file imports, `from a import b` as both `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def touches_network(modules: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for module in modules for name in NETWORK)


@pytest.mark.parametrize(
    ("text", "is_network"),
    [
        ("import socket", True),
        ("from urllib import request", True),
        ("import http.client as web", True),
        ("def f():\n    from httpx2 import Client", True),
        ("from urllib.parse import urlsplit", False),
        ("from http import HTTPStatus", False),
        ("import sockets_of_ours", False),
    ],
)
def test_the_check_knows_a_network_import(text, is_network):
    source = Source("x.py", text, ast.parse(text))

    assert touches_network(imported_modules(source)) is is_network


def test_only_the_listed_rooms_touch_the_network():
    found = [
        source.path
        for source in all_sources()
        if not source.is_test and not source.path.startswith(tuple(ROOMS)) and touches_network(imported_modules(source))
    ]

    assert found == []


def test_the_import_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", ".importlinter", "--no-cache"]

    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr
