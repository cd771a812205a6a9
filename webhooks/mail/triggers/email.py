"""E-mail: starts a run for each mail that comes into a mailbox, or is sent to an address of the trigger's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from automation.engine.durations import duration_text, parse_duration
from automation.engine.problem import Problem
from automation.triggers.contract import Config, Json, Polling, Saving, TriggerKind
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.egress.hosts import parse_host
from webhooks.mail.imap.connection import PUBLIC_PORTS, Security
from webhooks.mail.imap.looking import look
from webhooks.mail.imap.settings import PORTS
from webhooks.mail.imap.settling import settle
from webhooks.mail.services import addresses
from webhooks.mail.triggers.email_schema import CONFIG_SCHEMA, DEFAULTS, EXAMPLES, MAILBOX_DEFAULTS

SHORTEST_SECONDS, LONGEST_SECONDS = 10.0, 86_400.0
DEFAULT_BYTES = 25 << 20


def check(config: Config) -> Iterator[Problem]:
    """Refuse what has no source or two, a server that may not be called, and sizes that are never read."""
    mailbox = config.get("mailbox")
    if (mailbox is None) == (config.get("address") is not True):
        message = 'It needs one source: a "mailbox" to read, or "address": true for an address of its own.'
        yield Problem("one_source", message, "/mailbox" if mailbox is None else "/address")
    most = settings.BRAINOPS_INBOUND_MAIL["most_bytes"]
    if config.get("max_bytes", 0) > most:
        message = f"This installation takes {most:,} bytes of a mail at most, got {config['max_bytes']:,}."
        yield Problem("too_large", message, "/max_bytes")
    if mailbox is not None:
        yield from _server_problems(_completed(mailbox))
        yield from _mailbox_problems(_completed(mailbox))


def _server_problems(mailbox: Config) -> Iterator[Problem]:
    allow = http.client().allow
    try:
        host = parse_host(mailbox["host"])
        allow.check_target(host, mailbox["port"], ports=PUBLIC_PORTS)
    except EgressError as error:
        yield Problem(error.code, error.message, "/mailbox/host")
        return
    if mailbox["security"] == Security.NONE and not allow.has(host, mailbox["port"]):
        message = (
            "Without TLS the password goes over the network as it is. That is only for hosts that an operator named in "
            f'BRAINOPS_EGRESS_ALLOW; for {host} choose "tls" or "starttls".'
        )
        yield Problem("insecure", message, "/mailbox/security")


def _mailbox_problems(mailbox: Config) -> Iterator[Problem]:
    if (mailbox["after"] == "move") != ("move_to" in mailbox):
        message = '"move_to" names the folder that "after": "move" moves to: set both or none.'
        yield Problem("required", message, "/mailbox/move_to")
    if mailbox.get("move_to") == mailbox["folder"]:
        yield Problem("same_folder", f"It reads {mailbox['folder']!r}; choose another folder.", "/mailbox/move_to")
    if not SHORTEST_SECONDS <= parse_duration(mailbox["every"]) <= LONGEST_SECONDS:
        span = f"{duration_text(SHORTEST_SECONDS)} to {duration_text(LONGEST_SECONDS)}"
        yield Problem("out_of_range", f'"every" must be {span}, got {mailbox["every"]}.', "/mailbox/every")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    most = min(DEFAULT_BYTES, settings.BRAINOPS_INBOUND_MAIL["most_bytes"])
    mailbox = {"mailbox": _completed(config["mailbox"])} if config.get("mailbox") else {}
    return {**DEFAULTS, "max_bytes": most, **config, **mailbox}


def _completed(mailbox: Config) -> dict[str, Json]:
    filled = {**MAILBOX_DEFAULTS, **mailbox}
    return {"port": PORTS[Security(filled["security"])], **filled}


def on_save(saving: Saving) -> Mapping[str, Json]:
    """Give the trigger its address, or take it away."""
    return addresses.follow(saving.trigger, receives=saving.trigger.config.get("address") is True)


def _origin(config: Config) -> Any:
    """What makes it another mailbox: then the first look is a first look again."""
    mailbox = config.get("mailbox") or {}
    return [mailbox.get(name) for name in ("host", "port", "username", "folder")]


POLLING = Polling(
    poll=look,
    every=lambda config: parse_duration(config["mailbox"]["every"]),
    first=lambda config: str(config["mailbox"]["first"]),
    settle=settle,
    origin=_origin,
    polls=lambda config: "mailbox" in config,
)
KIND = TriggerKind(
    key="email",
    title="E-mail",
    description="Starts a run for each mail that comes into a mailbox, or is sent to an address of the trigger's own.",
    icon="mail",
    config_schema=CONFIG_SCHEMA,
    check=check,
    complete=complete,
    on_save=on_save,
    describe=addresses.described,
    polling=POLLING,
    listens=True,
    examples=EXAMPLES,
)
