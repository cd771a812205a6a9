"""One SMTP session: aiosmtpd's dialogue, with our own reading of mails and our own bounds.

The text of a mail ends with CR LF . CR LF and with nothing else (RFC 5321, 4.1.1.4): a dot between bare line feeds or
carriage returns is text, so that no mail is smuggled inside another one (CVE-2023-51764 and its kin).
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import Any

from aiosmtpd.smtp import SMTP

COMMAND_SECONDS = 60.0  # for the next command
DATA_SECONDS = 600.0  # for the text of a mail, from 354 to its end (RFC 5321, 4.5.3.2.6 allows no less)
DELIVER_SECONDS = 300.0  # for our answer to it
MOST_OF_ONE_COMMAND = 100  # in one session
IN_MEMORY_BYTES = 1 << 20  # of a mail that is being received; more of it goes to a file
END, LINE_END = b".\r\n", b"\r\n"
# we hear of a mail that is too large to its end, so that the sender hears our answer, but not for ever
PATIENCE = 2


class Session(SMTP):
    """The dialogue with one client."""

    transport: Any
    envelope: Any
    session: Any

    def __init__(self, desk: Any, *, most_bytes: int, **options: Any) -> None:
        self.desk = desk
        self.is_busy = False  # a mail is being stored
        self._most_bytes = most_bytes
        super().__init__(
            desk,
            data_size_limit=most_bytes,
            ident="BrainOps",
            timeout=COMMAND_SECONDS,
            enable_SMTPUTF8=True,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            command_call_limit=MOST_OF_ONE_COMMAND,
            **options,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless too many others are talking to us already."""
        is_first = self.transport is None  # STARTTLS comes here again
        super().connection_made(transport)
        if is_first and not self.desk.welcome(self):
            transport.write(b"421 4.7.0 Too many connections; try again later\r\n")  # type: ignore[attr-defined]  # a stream
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for another one."""
        self.desk.farewell(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802  # aiosmtpd calls it so
        """Read the text of a mail, then have it delivered."""
        refusal = await self._why_no_data(arg)
        if refusal:
            await self.push(refusal)
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._reset_timeout(DATA_SECONDS)
        try:
            status = await self._received()
        finally:
            self._set_post_data_state()
            if self.transport is not None:
                self._reset_timeout()
        await self.push(status)

    async def _received(self) -> str:
        """Read the text of a mail and have it stored; returns what the client is told."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as text:
            if refusal := await self._read_into(text):
                return refusal
            text.seek(0)
            self.envelope.content = text
            self._reset_timeout(DELIVER_SECONDS)
            self.is_busy = True
            try:
                return str(await self._call_handler_hook("DATA"))
            finally:
                self.is_busy = False

    async def _why_no_data(self, arg: str | None) -> str:
        if not self.session.host_name:
            return "503 5.5.1 Error: send EHLO first"
        if not self.envelope.rcpt_tos:
            return "503 5.5.1 Error: need RCPT command"
        return "501 5.5.4 Syntax: DATA" if arg else ""

    async def _read_into(self, text: Any) -> str:
        """Write the text into the file; returns what is wrong with it, if anything. Holds one line at a time."""
        size, begins_line = 0, True
        while True:
            piece = await self._piece()
            if begins_line and piece == END:
                break
            size += len(piece)
            if size <= self._most_bytes:
                text.write(piece[1:] if begins_line and piece.startswith(b".") else piece)
            elif size > PATIENCE * self._most_bytes:
                await self.push("552 5.3.4 Too much mail data; goodbye")
                self.transport.close()
                raise asyncio.CancelledError
            begins_line = piece.endswith(LINE_END)
        if size > self._most_bytes:
            return f"552 5.3.4 This server takes {self._most_bytes} bytes of a mail at most"
        return ""

    async def _piece(self) -> bytes:
        """The next line, or a part of one that is long."""
        try:
            return await self._reader.readuntil(LINE_END)
        except asyncio.LimitOverrunError as error:
            return await self._reader.readexactly(error.consumed)
