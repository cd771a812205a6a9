"""A real S3 server for tests: moto in a process of its own, with a bucket of thousands of keys.

`python -m integrations.tests.s3_server PORT` is that process; `s3_server()` begins it and ends it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

STARTS_WITHIN_SECONDS = 100  # on a busy machine
MANY = "many"  # a bucket that is there from the beginning
MANY_KEYS = [f"in/{number:05}.csv" for number in range(2_500)]


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint of the server, `http://127.0.0.1:port`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", __name__, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait(endpoint, process)
        yield endpoint
    finally:
        process.kill()
        process.wait()


def _wait(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"{endpoint}/moto-api/", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("moto's server did not start.")


def _serve(port: str) -> None:
    # imported in the server's process only: it takes its time
    from moto.s3.models import s3_backends
    from moto.server import main

    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket(MANY, "us-east-1")
    for key in MANY_KEYS:
        backend.put_object(MANY, key, b"n\n1\n")
    main(["-H", "127.0.0.1", "-p", port])


if __name__ == "__main__":
    _serve(sys.argv[1])
