"""Two hosts with a router between them and our servers, as network namespaces: cables that can be cut without a word.

The router drops packets by policy rules with the action blackhole, which every kernel has: no answer, no reset, just
silence, and only for the port that was named. Needs root, as namespaces do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

SET_NAME = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'


def is_permitted() -> bool:
    """Whether this process may make namespaces."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    name = f"chaos-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        _ip("netns", "del", name)
    return made


@dataclass(frozen=True)
class Host:
    """A namespace with a name and an address of its own: a place for workers."""

    name: str
    namespace: str
    address: str
    doors: dict[int, int]  # port of a server of ours → port of its door
    gate: str

    def command(self, command: list[str]) -> list[str]:
        inner = ["unshare", "--uts", "sh", "-c", SET_NAME, self.name, *command]
        return ["ip", "netns", "exec", self.namespace, *inner]

    def addresses(self, environment: dict[str, str]) -> dict[str, str]:
        return {name: self._through_door(environment[name]) for name in ("DATABASE_URL", "REDIS_URL")}

    def _through_door(self, url: str) -> str:
        parts = urlsplit(url)
        secret, _, _ = parts.netloc.rpartition("@")
        place = f"{self.gate}:{self.doors[parts.port or 0]}"
        return parts._replace(netloc=f"{secret}@{place}" if secret else place).geturl()


class Network:
    """The router, two hosts, and doors to the servers that listen on loopback only."""

    def __init__(self, ports: list[int]) -> None:
        """`ports` are of servers on loopback that the hosts must reach."""
        number = os.getpid()
        self._router = f"chaos-{number}-r"
        self._net = f"10.{192 + number % 60}"
        self.gate = f"{self._net}.0.1"  # our end: the address of doors and of the target
        self._doors = _Doors()
        self.hosts: list[Host] = []
        try:
            self._lay_router()
            doors = {port: self._doors.open(self.gate, port) for port in ports}
            for place, name in enumerate(("chaos-a", "chaos-b"), start=1):
                self.hosts.append(self._lay_host(place, name, doors))
        except BaseException:
            self.remove()
            raise

    @contextmanager
    def cut(self, host: Host, port: int) -> Iterator[None]:
        """Drop every packet between `host` and the server on `port`, in both directions; nothing else."""
        door = str(host.doors[port])
        away = ("from", host.address, "to", self.gate, "ipproto", "tcp", "dport", door, "blackhole")
        back = ("from", self.gate, "to", host.address, "ipproto", "tcp", "sport", door, "blackhole")
        for rule in (away, back):
            _ip("-n", self._router, "rule", "add", *rule)
        try:
            yield
        finally:
            for rule in (away, back):
                _ip("-n", self._router, "rule", "del", *rule)

    def remove(self) -> None:
        """Take everything away again; links go with their namespaces."""
        self._doors.close()
        for name in (self._router, *(host.namespace for host in self.hosts)):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", name)

    def _lay_router(self) -> None:
        ours = f"{self._router}0"
        _ip("netns", "add", self._router)
        _ip("link", "add", ours, "type", "veth", "peer", "name", "up0", "netns", self._router)
        _ip("addr", "add", f"{self.gate}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", self._router, "addr", "add", f"{self._net}.0.2/30", "dev", "up0")
        _ip("-n", self._router, "link", "set", "up0", "up")
        _ip("route", "add", f"{self._net}.0.0/16", "via", f"{self._net}.0.2")
        forward = ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]
        subprocess.run(["ip", "netns", "exec", self._router, *forward], check=True)

    def _lay_host(self, place: int, name: str, doors: dict[int, int]) -> Host:
        namespace = f"{self._router[:-2]}-{name[-1]}"
        near, far = f"{self._net}.{place}.1", f"{self._net}.{place}.2"
        _ip("netns", "add", namespace)
        link = ("-n", self._router, "link", "add", f"down{place}", "type", "veth")
        _ip(*link, "peer", "name", "eth0", "netns", namespace)
        _ip("-n", self._router, "addr", "add", f"{near}/30", "dev", f"down{place}")
        _ip("-n", self._router, "link", "set", f"down{place}", "up")
        _ip("-n", namespace, "addr", "add", f"{far}/30", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", namespace, "link", "set", device, "up")
        _ip("-n", namespace, "route", "add", "default", "via", near)
        return Host(name, namespace, far, doors, self.gate)


class _Doors(threading.Thread):
    """Carries bytes between an address that hosts reach and ports on loopback. A cut happens on the way to it."""

    def __init__(self) -> None:
        super().__init__(name="doors", daemon=True)
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self.start()

    def run(self) -> None:
        self._loop.run_forever()

    def open(self, address: str, port: int) -> int:
        """Listen on a free port of `address` for the server on loopback `port`; returns that port."""

        async def listen() -> int:
            server = await asyncio.start_server(lambda reader, writer: _carry(reader, writer, port), address, 0)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result(5)

    def close(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            carrying = asyncio.all_tasks() - {asyncio.current_task()}
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
            await asyncio.sleep(0.1)  # closed transports say goodbye

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join(5)
        self._loop.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    with suppress(OSError):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            far_writer.close()
            writer.close()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
