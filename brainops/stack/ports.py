"""Free TCP ports on the loopback address."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 on macOS):
# a port from there may be somebody's connection by the time our server wants it.
OURS = range(20_000, 30_000)
ATTEMPTS = 200


def free_port() -> int:
    """A port nobody listens on right now."""
    # Not the shared generator: tests seed it, and two test processes would then want the same ports.
    for port in random.SystemRandom().sample(OURS, ATTEMPTS):
        if is_free(port):
            return port
    raise OSError(f"None of {ATTEMPTS} ports between {OURS.start} and {OURS.stop} is free.")


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # Servers set this too: a port in TIME_WAIT is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
