"""A real SFTP server for tests: asyncssh in a process of its own, with a folder as its root.

`python -m integrations.tests.sftp_server FOLDER` is that process; `sftp_server(folder)` begins it and ends it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USERNAME, PASSWORD = "orders", "correct horse battery"


@dataclass(frozen=True)
class SftpServer:
    """Where it listens, the fingerprint of its key, a private key that may log in, and its folder."""

    port: int
    fingerprint: str
    private_key: str
    root: Path


@contextmanager
def sftp_server(root: Path) -> Iterator[SftpServer]:
    """A server whose `/` is the folder."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield SftpServer(**json.loads(process.stdout.readline()), root=root)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _serve(root: str) -> None:
    # imported in the server's process only: it takes its time
    import asyncssh

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USERNAME, PASSWORD)

    def files(channel: Any) -> Any:
        return asyncssh.SFTPServer(channel, chroot=root.encode())

    host_key = asyncssh.generate_private_key("ssh-ed25519")
    user_key = asyncssh.generate_private_key("ssh-ed25519")
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Door,
        server_host_keys=[host_key],
        authorized_client_keys=asyncssh.import_authorized_keys(user_key.export_public_key().decode()),
        sftp_factory=files,
    )
    said = {
        "port": listener.get_port(),
        "fingerprint": host_key.get_fingerprint(),
        "private_key": user_key.export_private_key().decode(),
    }
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()
    await listener.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
