"""The mailbox part of a trigger's config, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from automation.triggers.contract import SourceError
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.egress.hosts import parse_host
from webhooks.mail.imap.connection import Account, Security

Json = Any

PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}


def authority(mailbox: Mapping[str, Json]) -> str:
    """`host:port`, as secrets and the allow list name targets. Raises EgressError for a host that is none."""
    return f"{parse_host(mailbox['host'])}:{mailbox['port']}"


def account(mailbox: Mapping[str, Json], secret: Callable[..., str]) -> Account:
    """Whose mailbox it is, with the password. Raises SourceError."""
    try:
        host = authority(mailbox)
    except EgressError as error:
        raise SourceError(error.message, code=error.code) from error
    if mailbox["security"] == Security.NONE and not http.client().allow.has(
        parse_host(mailbox["host"]), mailbox["port"]
    ):
        said = f"{host} is not opened by BRAINOPS_EGRESS_ALLOW any more: without TLS it gets no password."
        raise SourceError(said, code="insecure")
    password = secret(mailbox["password_secret"], host=host)
    if not password.isprintable():
        said = f"The secret {mailbox['password_secret']!r} holds a line break or the like, which no password has."
        raise SourceError(said, code="login_failed")
    return Account(mailbox["host"], mailbox["port"], Security(mailbox["security"]), mailbox["username"], password)
