"""Files on an SFTP server, over a socket that the outbound door has connected, from a host whose key is known.

Names are bytes there; here they are texts as `os.fsdecode` makes them, so each comes back as it was.
"""

from __future__ import annotations

import io
import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR
from paramiko.sftp_attr import SFTPAttributes

from brainops.core.egress import http
from brainops.core.egress.dial import CONNECT_SECONDS, dial
from brainops.core.egress.hosts import parse_host
from brainops.core.egress.watch import Watch

PUBLIC_PORTS = frozenset({22, 2222})
SESSION_SECONDS = 600.0  # the longest one; then the connection is cut
SILENT_SECONDS = 30.0
PIECE_BYTES = 32 << 10  # of one answer; what every server sends
AHEAD = 32  # pieces asked for before they are read: 1 MiB is in the air at most
LEAST_ENTRY_BYTES = 12  # of a listing: the lengths of two texts, and the flags of attributes
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what went wrong is raised, too


class SftpError(Exception):
    """Why a server could not be used, or a file there. The message holds no secret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NoFile(SftpError):
    """There is no such file, or it may not be touched."""


@dataclass(frozen=True, slots=True)
class Login:
    """Whose files, where. `host_keys` are fingerprints as `ssh-keygen -l` shows them: `SHA256:…`.

    `password` or `private_key` (the text of an OpenSSH or PEM file without a passphrase) says who we are.
    """

    host: str
    port: int
    username: str
    host_keys: frozenset[str]
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """What stands in a folder. `modified` in seconds since 1970."""

    name: str
    mode: int
    size: int
    modified: int

    @property
    def is_file(self) -> bool:
        """True for regular files: no links, no folders."""
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        """True for folders, not for links to them."""
        return stat.S_ISDIR(self.mode)


@contextmanager
def opened(login: Login, *, seconds: float = SESSION_SECONDS) -> Iterator[Files]:
    """The files of a server after the login, cut off after `seconds`. Raises SftpError and EgressError."""
    where = f"{login.host}:{login.port}"
    connected = dial(
        parse_host(login.host), login.port, allow=http.client().allow, watch=Watch(CONNECT_SECONDS), ports=PUBLIC_PORTS
    )
    connected.settimeout(SILENT_SECONDS)
    transport = paramiko.Transport(connected)
    cut = threading.Timer(seconds, transport.close)
    cut.daemon = True
    cut.start()
    try:
        _greet(transport, login, where)
        yield _files(transport, where)
    except (paramiko.SSHException, EOFError, TimeoutError, ConnectionError) as error:
        raise SftpError("connection_lost", f"The SFTP server {where} broke off: {_said(error)}.") from error
    finally:
        cut.cancel()
        transport.close()


def _greet(transport: paramiko.Transport, login: Login, where: str) -> None:
    """Check who answers before anything about us is said, then log in."""
    try:
        transport.start_client(timeout=SILENT_SECONDS)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise SftpError("no_ssh", f"{where} does not answer as an SSH server: {_said(error)}.") from error
    key = transport.get_remote_server_key()
    if key.fingerprint not in login.host_keys:
        said = f"{where} shows the key {key.get_name()} {key.fingerprint}, which is none of the pinned ones."
        raise SftpError("wrong_host_key", f"{said} If it is the right server, pin this key; else somebody listens.")
    try:
        if login.private_key:
            transport.auth_publickey(login.username, read_private_key(login.private_key))
        else:
            transport.auth_password(login.username, login.password, fallback=False)
    except paramiko.AuthenticationException as error:
        said = f"{where} refuses the login of {login.username!r}. Check the name and the secret."
        raise SftpError("login_refused", said) from error


def read_private_key(text: str) -> paramiko.PKey:
    """The key in a text. Raises SftpError; the message says nothing about it."""
    for kind in _KEYS:
        with suppress(paramiko.SSHException, ValueError, IndexError, TypeError):
            return kind.from_private_key(io.StringIO(text))
    said = "The secret holds no private key without a passphrase (Ed25519, ECDSA or RSA, as OpenSSH writes it)."
    raise SftpError("bad_private_key", said)


def _files(transport: paramiko.Transport, where: str) -> Files:
    made = _Client.from_transport(transport)
    if made is None:
        raise SftpError("no_sftp", f"{where} offers no SFTP.")
    channel = made.get_channel()
    if channel is not None:
        channel.settimeout(SILENT_SECONDS)
    return Files(made)


class _Client(paramiko.SFTPClient):
    """paramiko's client, which reads names as UTF-8 and stops at the first that is none."""

    def entries(self, folder: bytes) -> Iterator[RemoteEntry]:
        """What stands in a folder, as the server lists it."""
        kind, answer = self._request(CMD_OPENDIR, folder)  # type: ignore[attr-defined]  # typeshed knows public names
        if kind != CMD_HANDLE:
            raise paramiko.SFTPError("a folder did not open")
        handle = answer.get_binary()
        try:
            while (page := self._page(handle)) is not None:
                yield from page
        finally:
            self._request(CMD_CLOSE, handle)  # type: ignore[attr-defined]  # typeshed knows public names

    def _page(self, handle: bytes) -> list[RemoteEntry] | None:
        try:
            kind, answer = self._request(CMD_READDIR, handle)  # type: ignore[attr-defined]  # typeshed knows public names
        except EOFError:
            return None
        if kind != CMD_NAME:
            raise paramiko.SFTPError("a folder was not listed")
        return entries_in(answer)


def entries_in(answer: Message) -> list[RemoteEntry]:
    """The entries of one answer. Raises SFTPError for more than it can hold: a short one reads as endless zeros."""
    count = answer.get_int()
    if count * LEAST_ENTRY_BYTES > len(answer.get_remainder()):
        raise paramiko.SFTPError("a folder's listing is cut off")
    return [_entry(answer) for _ in range(count)]


def _entry(answer: Message) -> RemoteEntry:
    name = os.fsdecode(answer.get_binary())
    answer.get_binary()  # the line that `ls -l` would show
    return _described(name, SFTPAttributes._from_msg(answer))  # type: ignore[attr-defined]  # typeshed knows public names


def _described(name: str, found: SFTPAttributes) -> RemoteEntry:
    return RemoteEntry(name, found.st_mode or 0, found.st_size or 0, int(found.st_mtime or 0))


class Files:
    """Files of a server. Paths are texts with slashes; relative ones begin at the login's folder.

    Everything raises NoFile for what is not there or may not be touched, SftpError for other refusals.
    """

    def __init__(self, client: _Client) -> None:
        self._client = client

    def entries(self, folder: str) -> Iterator[RemoteEntry]:
        """What stands in a folder, without itself and its parent."""
        with _refusals(folder):
            for found in self._client.entries(os.fsencode(folder)):
                if found.name not in (".", ".."):
                    yield found

    def look(self, path: str) -> RemoteEntry | None:
        """What stands at a path, a link as a link; None when nothing does."""
        try:
            with _refusals(path):
                return _described(path, self._client.lstat(os.fsencode(path)))
        except NoFile:
            return None

    def read(self, path: str, size: int) -> Iterator[bytes]:
        """The first `size` bytes of a file."""
        with _refusals(path), self._client.open(os.fsencode(path), "rb") as file:
            file.prefetch(size, max_concurrent_requests=AHEAD)
            left = size
            while left and (piece := file.read(min(PIECE_BYTES, left))):
                left -= len(piece)
                yield piece

    def remove(self, path: str) -> None:
        """Delete a file; one that is gone is no error."""
        if self.look(path) is not None:
            with _refusals(path):
                self._client.remove(os.fsencode(path))

    def rename(self, path: str, to: str) -> None:
        """Move a file to a path where nothing stands."""
        with _refusals(path):
            self._client.rename(os.fsencode(path), os.fsencode(to))

    def make_folder(self, path: str) -> None:
        """Make a folder; one that is there is no error."""
        if self.look(path) is None:
            with _refusals(path):
                self._client.mkdir(os.fsencode(path))

    def make_empty(self, path: str) -> None:
        """Write an empty file, if there is none."""
        if self.look(path) is None:
            with _refusals(path), self._client.open(os.fsencode(path), "x"):
                pass


@contextmanager
def _refusals(path: str) -> Iterator[None]:
    shown = os.fsencode(path).decode("utf-8", "replace")[:200]
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise NoFile("no_file", f"{shown!r} is not there, or may not be touched: {_said(error)}.") from error
    except paramiko.SFTPError as error:
        raise SftpError("refused", f"The SFTP server refuses {shown!r}: {_said(error)}.") from error
    except OSError as error:
        if isinstance(error, TimeoutError | ConnectionError):
            raise
        raise SftpError("refused", f"The SFTP server refuses {shown!r}: {_said(error)}.") from error


def _said(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")[:200]
