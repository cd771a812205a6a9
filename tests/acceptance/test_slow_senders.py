"""A crowd of senders that never finish their bodies must not keep everybody else out."""

from __future__ import annotations

import socket
import time
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.processes

CROWD = 60


def test_other_requests_are_answered_while_a_crowd_sends_its_bodies_slowly(product, web):
    hook = product.hook(
        product.workflow("Slow", {"schema": 1, "steps": [{"id": "a", "uses": "transform", "with": {"set": {}}}]})
    )
    crowd = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(CROWD)]
    for sender in crowd:
        head = f"POST {hook.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        sender.sendall(head.encode())
    time.sleep(1)

    started = time.monotonic()
    with urlopen(f"{web.url}/api/v1/automation/health", timeout=5) as answer:
        assert answer.status == 200
    took = time.monotonic() - started

    for sender in crowd:
        sender.close()
    assert took < 2
