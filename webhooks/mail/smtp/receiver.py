"""The receiver: listens for mail in the consumer process until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import ssl
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from django.conf import settings

from brainops.core import logs
from webhooks.mail.smtp.desk import Desk
from webhooks.mail.smtp.session import Session

THREADS = 4  # mails and addresses that are looked at beside each other
LOOK_SECONDS = 0.25  # at the stop flag
FAREWELL_SECONDS = 10.0  # that sessions under way may take to end
BACKLOG = 100

log = logs.get_logger(__name__)
# aiosmtpd tells the whole dialogue: addresses are not for logs
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


def listen(stop: Event) -> None:
    """Take mail until `stop` is set. Raises OSError when the port cannot be had."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="smtp") as threads:
        asyncio.run(_serve(Desk(threads), stop))


async def _serve(desk: Desk, stop: Event) -> None:
    inbound, loop = settings.BRAINOPS_INBOUND_MAIL, asyncio.get_running_loop()
    context = _tls_context(inbound)

    def new_session() -> Session:
        return Session(
            desk,
            hostname=inbound["domain"],
            most_bytes=inbound["most_bytes"],
            tls_context=context,
            loop=loop,
        )

    server = await loop.create_server(new_session, inbound["host"], inbound["port"], reuse_port=True, backlog=BACKLOG)
    log.info("smtp_listening", port=inbound["port"], has_tls=context is not None)
    try:
        while not stop.is_set():
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        server.close()
        await _say_goodbye(desk)


async def _say_goodbye(desk: Desk) -> None:
    """Let mails that are being stored end; a client whose mail was not answered for sends it again."""
    ends_at = asyncio.get_running_loop().time() + FAREWELL_SECONDS
    for session in desk.sessions:
        if not session.is_busy and session.transport:
            session.transport.close()
    while desk.sessions and asyncio.get_running_loop().time() < ends_at:
        await asyncio.sleep(LOOK_SECONDS / 5)
    for session in desk.sessions:
        if session.transport:
            session.transport.abort()


def _tls_context(inbound: dict[str, Any]) -> ssl.SSLContext | None:
    if not inbound["certificate"]:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(inbound["certificate"], inbound["key"])
    return context
