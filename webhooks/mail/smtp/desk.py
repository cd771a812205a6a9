"""The desk: who may talk to us, which addresses are there, and what becomes of a mail. One for all sessions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections

from brainops.core import logs
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from brainops.core.web.clients import network_of
from webhooks.mail.message.clean import clean
from webhooks.mail.models.address import LONGEST_LOCAL_PART
from webhooks.mail.services import addresses, deliveries
from webhooks.mail.services.deliveries import GONE, PAUSED, Envelope

MOST_RECIPIENTS = 20  # of one mail, here
TRIED_OUT = "451 4.7.1 Too many unknown addresses; try again later"
LATER = "451 4.3.0 Nothing can be stored right now; try again later"

T = TypeVar("T")
log = logs.get_logger(__name__)


class Desk:
    """aiosmtpd's hooks. What asks the database does so in `threads`; the loop never waits for it."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._sessions: dict[Any, str] = {}  # session -> its client's network

    @property
    def sessions(self) -> tuple[Any, ...]:
        """Those that are open."""
        return tuple(self._sessions)

    def welcome(self, session: Any) -> bool:
        """Count a session; False when there are too many, of all or of its network."""
        network = network_of(client_of(session))
        known = Counter(self._sessions.values())
        limits = settings.BRAINOPS_INBOUND_MAIL
        if len(self._sessions) >= limits["connections"] or known[network] >= limits["connections_of_one"]:
            log.warning("smtp_client_refused", network=network, sessions=len(self._sessions))
            return False
        self._sessions[session] = network
        return True

    def farewell(self, session: Any) -> None:
        """Forget a session."""
        self._sessions.pop(session, None)

    async def handle_EHLO(  # noqa: N802  # aiosmtpd calls it so
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer no login: there is nobody here who could log in."""
        session.host_name = hostname
        return [line for line in responses if not line[4:].startswith("AUTH")]

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls it so
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Say whether the address is one of ours."""
        local_part = local_part_of(address)
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients; send the rest in another mail"
        unknown = _bucket_of_unknown(client_of(server))
        if limiter.is_refused(unknown):
            return TRIED_OUT
        found = await self._ask(addresses.find, [local_part]) if local_part else {}
        if local_part not in found:
            return TRIED_OUT if limiter.take(unknown).refused else GONE.line
        known = found[local_part]
        if not known.is_active:
            return PAUSED.line
        envelope.rcpt_tos.append(address)
        _receivers(envelope)[known.trigger_id] = address
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd calls it so
        """Store the mail and its runs; only then it is taken."""
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        envelopes = {
            trigger_id: Envelope(
                mail_from=clean(sender[:320]),
                rcpt_to=clean(address[:320]),
                client=client_of(server),
                helo=clean(str(session.host_name)[:255]),
                is_encrypted=session.ssl is not None,
            )
            for trigger_id, address in _receivers(envelope).items()
        }
        reply = await self._ask(deliveries.deliver, envelope.content.read(), envelopes)
        log.info("mail_received", code=reply.code, receivers=len(envelopes))
        return reply.line

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong is on our side: the sender keeps the mail and tries again."""
        log.error("smtp_session_failed", error=type(error).__name__, exc_info=error)
        return LATER

    async def _ask(self, act: Callable[..., T], *arguments: Any) -> T:
        def work() -> T:
            try:
                return act(*arguments)
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def local_part_of(address: str) -> str:
    """The local part of an address of ours, in lower case and without `+…`; empty for any other address."""
    local_part, _, domain = address.lower().rpartition("@")
    known = local_part.partition("+")[0]
    is_ours = domain == settings.BRAINOPS_INBOUND_MAIL["domain"] and len(known) <= LONGEST_LOCAL_PART
    return known if is_ours else ""


def client_of(session: Any) -> str:
    """The client's IP address."""
    peer = session.transport.get_extra_info("peername") if session.transport else None
    return str(peer[0]) if peer else ""


def _receivers(envelope: Any) -> dict[UUID, str]:
    """The triggers that a mail is for, with the address that was named for each."""
    if not hasattr(envelope, "receivers"):
        envelope.receivers = {}
    found: dict[UUID, str] = envelope.receivers
    return found


def _bucket_of_unknown(client: str) -> Bucket:
    per_second = settings.BRAINOPS_INBOUND_MAIL["unknown_per_second"]
    return Bucket("mail-unknown-addresses", network_of(client), per_second, max(1, round(per_second * 30)))
