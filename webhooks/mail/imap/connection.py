"""A guarded IMAP connection: its address is checked and dialled by the outbound door, and it ends in bounded time.

TLS from the first byte unless the trigger says otherwise: by STARTTLS, or none at all, which only hosts that an
operator named in BRAINOPS_EGRESS_ALLOW may have. The certificate is checked against the host's name in either case.
"""

from __future__ import annotations

import imaplib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from automation.triggers.contract import SourceError
from brainops.core.egress import http
from brainops.core.egress.dial import dial
from brainops.core.egress.errors import EgressError
from brainops.core.egress.hosts import parse_host
from brainops.core.egress.watch import Watch

PUBLIC_PORTS = frozenset({143, 993})
CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0  # that a server may say nothing
SESSION_SECONDS = 240.0  # from the connection to its end, however much there is to fetch
LOGIN_PAUSE_SECONDS = 900.0  # after a refused login: servers lock accounts that are tried again and again
LONGEST_SPARE_BYTES = 1 << 20  # of an answer, beside the mail that it may hold
MOST_BYTES = 1 << 30  # of one session


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"  # from the first byte
    STARTTLS = "starttls"  # before anything is said that matters
    NONE = "none"  # not at all


@dataclass(frozen=True, slots=True)
class Account:
    """Whose mailbox, where. `password` is in the clear: never put it into a message."""

    host: str
    port: int
    security: Security
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.username!r} at {self.host}:{self.port})"


class Deadline:
    """Cuts a connection when its time is over: a server that drips bytes is never silent."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._line: socket.socket | None = None  # a second handle on the connection, to cut it by
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None

    def watch(self, connected: socket.socket) -> None:
        """Cut this connection at the end."""
        with self._lock:
            self._line = socket.socket(fileno=os.dup(connected.fileno()))

    def _cut(self) -> None:
        with self._lock, suppress(OSError):
            self.is_over = True
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)


class _Client(imaplib.IMAP4):
    """imaplib's client on a socket of ours."""

    def __init__(self, account: Account, *, largest: int, deadline: Deadline) -> None:
        self._account = account
        self._largest = largest
        self._left_bytes = MOST_BYTES
        self._deadline = deadline
        super().__init__(account.host, account.port, SILENT_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        host, port, door = parse_host(self._account.host), self._account.port, http.client()
        connected = dial(host, port, allow=door.allow, watch=Watch(CONNECT_SECONDS), ports=PUBLIC_PORTS)
        try:
            self._deadline.watch(connected)
            connected.settimeout(timeout)
            if self._account.security != Security.TLS:
                return connected
            return tls_context().wrap_socket(connected, server_hostname=host.text)
        except BaseException:
            connected.close()
            raise

    def read(self, size: int) -> bytes:
        """Read a literal, whose size the server names."""
        if size > self._largest:
            raise self.abort(f"the server announced {size:,} bytes at once; at most {self._largest:,} are read")
        return self._counted(super().read(size))

    def readline(self) -> bytes:
        """Read a line."""
        return self._counted(super().readline())

    def _counted(self, data: bytes) -> bytes:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise self.abort(f"the server has sent more than {MOST_BYTES:,} bytes")
        return data


class Mailbox(BaseMailBox):
    """imap-tools' mailbox on our connection."""

    def __init__(self, account: Account, *, largest: int, deadline: Deadline) -> None:
        self._make = partial(_Client, account, largest=largest, deadline=deadline)
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._make()


def tls_context() -> ssl.SSLContext:
    """The system's trust store, TLS 1.2 at least. Made anew: a changed store counts at once."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextmanager
def opened(account: Account, *, largest: int, seconds: float = SESSION_SECONDS) -> Iterator[Mailbox]:
    """A mailbox after the login, cut off after `seconds`. Raises SourceError for whatever goes wrong with it."""
    where = f"{account.host}:{account.port}"
    deadline = Deadline(seconds)
    try:
        with deadline:
            mailbox = Mailbox(account, largest=largest, deadline=deadline)
            with _left(mailbox):
                _log_in(mailbox, account)
                yield mailbox
    except EgressError as error:
        raise SourceError(error.message, code=error.code) from error
    except ssl.SSLCertVerificationError as error:
        said = f"The certificate of {where} is not valid: {error.verify_message}."
        raise SourceError(said, code="tls_failed") from error
    except ssl.SSLError as error:
        said = f'No TLS connection to {where}: {error.reason or error}. Does its port speak "{account.security}"?'
        raise SourceError(said, code="tls_failed") from error
    except MailboxFolderSelectError as error:
        raise SourceError(f"The folder cannot be opened: {_said(error)}", code="folder_missing") from error
    except TimeoutError as error:
        raise SourceError(f"{where} fell silent for {SILENT_SECONDS:g} s.", code="read_timeout") from error
    except (imaplib.IMAP4.error, ImapToolsError, OSError, ValueError) as error:
        if deadline.is_over:
            raise SourceError(f"{where} was not done within {seconds:g} s.", code="read_timeout") from error
        raise SourceError(f"{where} did not answer as a mailbox does: {_said(error)}", code="imap_failed") from error


@contextmanager
def _left(mailbox: Mailbox) -> Iterator[None]:
    """Say goodbye where the server still listens; close the connection in any case."""
    try:
        yield
        with suppress(imaplib.IMAP4.error, ImapToolsError, OSError):
            mailbox.logout()
    finally:
        with suppress(OSError):
            mailbox.client.shutdown()


def _log_in(mailbox: Mailbox, account: Account) -> None:
    """Protect the connection as it is to be, then log in."""
    if account.security == Security.STARTTLS:
        mailbox.client.starttls(tls_context())
    if "LOGINDISABLED" in mailbox.client.capabilities:
        said = f'{account.host} takes no login on this connection. Set "security" to "tls" or "starttls".'
        raise SourceError(said, code="login_failed", retry_after_seconds=LOGIN_PAUSE_SECONDS)
    try:
        if account.username.isascii() and account.password.isascii():
            mailbox.login(account.username, account.password, initial_folder=None)
        else:
            mailbox.login_utf8(account.username, account.password, initial_folder=None)
    except (MailboxLoginError, imaplib.IMAP4.error) as error:
        if isinstance(error, imaplib.IMAP4.abort):
            raise
        said = (
            f"{account.host} refused the login of {account.username!r}: {_said(error)} Correct the user name or the "
            f"secret; it is tried again in {LOGIN_PAUSE_SECONDS / 60:g} minutes, so that the account is not locked."
        )
        raise SourceError(said, code="login_failed", retry_after_seconds=LOGIN_PAUSE_SECONDS) from error
    _, said_it_can = mailbox.client.capability()  # many servers say only now what they can
    mailbox.client.capabilities = tuple(said_it_can[-1].decode().upper().split())


def _said(error: Exception) -> str:
    """What a server said, on one short line."""
    result = getattr(error, "command_result", None)
    data = result[1] if result else error.args
    words = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in data or ()]
    text = " ".join(" ".join(words).split())[:300] or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
