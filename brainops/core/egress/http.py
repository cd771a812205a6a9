"""Send HTTP requests: the process-wide client, made from the settings at its first use.

from brainops.core.egress import http
answer = http.send(http.Request("GET", "https://api.example.com/things", total_seconds=10))
"""

from __future__ import annotations

import os
from functools import cache

from django.conf import settings

from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.client import Client
from brainops.core.egress.message import MAX_BYTES, Answer, Request

__all__ = ["MAX_BYTES", "Answer", "Client", "Request", "check", "client", "send"]


def send(request: Request) -> Answer:
    """Send one request through the process's client. Raises EgressError (`errors`)."""
    return client().send(request)


def check(url: str) -> None:
    """Refuse a URL that could never be called, without a lookup. Raises EgressError."""
    client().check(url)


@cache
def client() -> Client:
    """Return the process's client. A fork gets an empty pool of its own."""
    made = Client(parse_allow_list(settings.BRAINOPS_EGRESS_ALLOW))
    os.register_at_fork(after_in_child=made.pool.forget)
    return made
