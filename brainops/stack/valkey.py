"""One Valkey (or Redis) server in a folder of ours."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brainops.stack.binaries import RedisProgram
from brainops.stack.children import Service
from brainops.stack.ports import LOOPBACK

STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Valkey:
    """Where it lives and how it is reached."""

    program: RedisProgram
    folder: Path
    port: int
    log: Path
    password: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def create(self) -> None:
        """Write the folder and the configuration file, readable by us only.

        A file and not arguments: a password never stands in the process list.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = {
            "port": str(self.port),
            "bind": LOOPBACK,
            "dir": f'"{self.folder}"',
            "save": '""',
            **self.settings,
        }
        if self.password:
            lines["requirepass"] = self.password
        self.configuration.touch(mode=0o600)
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        self.configuration.write_text(text, encoding="utf-8")

    @property
    def configuration(self) -> Path:
        return self.folder / "valkey.conf"

    def service(self) -> Service:
        """The server process; SIGTERM makes it write its file and go."""
        return Service(
            name="valkey",
            command=[str(self.program.path), str(self.configuration)],
            environment=os.environ | {"LC_ALL": "C"},
            log=self.log,
            stop_seconds=STOP_SECONDS,
        )

    def is_ready(self) -> bool:
        """Whether it answers PING; while it loads its file it does not.

        By hand: redis-py would cost the supervisor 27 MB for these two lines.
        """
        greeting = f"AUTH {self.password}\r\nPING\r\n" if self.password else "PING\r\n"
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(greeting.encode())
                return _reads(connection, b"+PONG\r\n")
        except OSError:
            return False

    def url(self, database: int = 0) -> str:
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}{LOOPBACK}:{self.port}/{database}"


def _reads(connection: socket.socket, end: bytes) -> bool:
    """Whether the answer ends as wished; an error or the connection's end is another one."""
    answer = b""
    while not answer.endswith(end):
        more = connection.recv(256)
        if not more or b"-" in more:
            return False
        answer += more
    return True
