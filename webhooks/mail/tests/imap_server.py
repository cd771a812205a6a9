"""A real IMAP server in a process of its own, over a Maildir that tests deliver to and look into."""

from __future__ import annotations

import imaplib
import mailbox
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

from pysasl.hashing import BuiltinHash

from brainops.stack.ports import free_port

PASSWORD = "correct horse battery"


class ImapServer:
    """pymap. Its users and their mail survive a stop and a start."""

    def __init__(self, base: Path, *options: str) -> None:
        self._base = base
        self.port = free_port()
        for name in ("passwd", "shadow", "group"):
            (base / f"pymap-etc-{name}").touch()
        (base / "pymap-tokens").touch()
        self._process: subprocess.Popen[bytes] | None = None
        self._options = options or ("--no-tls",)
        self.start()

    def start(self) -> None:
        """Start it on its port; without TLS unless its options name a certificate."""
        program = str(Path(sys.executable).with_name("pymap"))
        where = ["--host", "127.0.0.1", "--port", str(self.port), *self._options]
        given = {**os.environ, "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen([program, *where, "maildir", str(self._base)], env=given)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "the IMAP server did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)

    def new_user(self, password: str = PASSWORD) -> MailUser:
        """Somebody with an empty mailbox."""
        name = f"u{uuid4().hex[:10]}"
        hashed = BuiltinHash(hash_name="sha256", rounds=1000).hash(password)
        with (self._base / "pymap-etc-passwd").open("a") as users:
            users.write(f"{name}:x::::{name}:\n")
        with (self._base / "pymap-etc-shadow").open("a") as passwords:
            passwords.write(f"{name}:{hashed}:::::::\n")
        return MailUser(self, name, self._base / name)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the IMAP server ended"
        try:
            imaplib.IMAP4("127.0.0.1", self.port, timeout=5).logout()
        except OSError:
            return False
        return True


class MailUser:
    """One mailbox, as the mail system and its owner see it."""

    def __init__(self, server: ImapServer, name: str, folder: Path) -> None:
        self.server = server
        self.name = name
        self._folder = folder
        self._maildir = mailbox.Maildir(folder, create=True)

    def deliver(self, *letters: bytes) -> None:
        """Put mails into the inbox, as the last mail server on their way does; numbered in this order.

        The server numbers what it finds when somebody looks, in the order in which the folder lists its files.
        """
        for letter in letters:
            self._maildir.add(letter)
            if len(letters) > 1:
                with self.client() as client:
                    client.select("INBOX", readonly=True)

    def renumber(self) -> None:
        """Give the inbox another UIDVALIDITY and its mails other UIDs, as a rebuilt index does."""
        (self._folder / "dovecot-uidlist").unlink()

    def make_folder(self, name: str) -> None:
        with self.client() as client:
            client.create(name)

    def subjects(self, folder: str = "INBOX", *, flag: str = "ALL") -> list[str]:
        """The subjects of a folder, of those mails that have the flag."""
        with self.client() as client:
            client.select(folder, readonly=True)
            found = client.search(None, flag)[1][0].split()
            heads = [client.fetch(one.decode(), "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1] for one in found]
        return sorted(head.decode().partition(":")[2].strip() for head in heads)

    def client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.server.port, timeout=30)
        client.login(self.name, PASSWORD)
        return client
