"""CPU per small outbound request: the door, the whole `http.request` action, and the libraries it was chosen from.

    python -m benchmarks.egress [--threads 16] [--requests 400] [--rounds 3] [--only door,h11]

Each candidate sends the same JSON POST over kept connections to a loopback server in another process. CPU is this
process's alone (user and system), over all threads, so waiting for the interpreter lock counts where it burns time.
The candidates without the door check nothing; that is their advantage. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable

from benchmarks.figures import machine, show

BODY = b'{"order":{"id":1042,"total":99.5,"items":["a","b","c"]},"branch":"main"}'
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "bo_0123456789abcdef0123456789abcdef"}
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
    b'X-Request-Id: 1234\r\nContent-Length: 22\r\n\r\n{"ok":true,"id":12345}'
)
Send = Callable[[], object]


def serve(listener: socket.socket) -> None:
    """Answer every request at once; no parsing beyond the length, so that the server costs little of the machine."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    unread: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                unread[connection] = b""
            else:
                _answer(selector, key.fileobj, unread)


def _answer(selector, connection, unread) -> None:
    data = connection.recv(65536)
    if not data:
        selector.unregister(connection)
        connection.close()
        unread.pop(connection)
        return
    unread[connection] += data
    _head, end, body = unread[connection].partition(b"\r\n\r\n")
    if end and len(body) >= len(BODY):
        unread[connection] = body[len(BODY) :]
        connection.sendall(ANSWER)


def door(url: str) -> Send:
    """The outbound door itself."""
    from brainops.core.egress.allow import parse_allow_list
    from brainops.core.egress.client import Client
    from brainops.core.egress.message import Request

    client = Client(parse_allow_list("127.0.0.1:*"))
    return lambda: client.send(Request("POST", url, HEADERS, BODY))


def action(url: str) -> Send:
    """`http.request` as a step runs it: request built, sent, answer parsed."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(BRAINOPS_EGRESS_ALLOW=["127.0.0.1:*"])
    from integrations.registry import all_actions
    from integrations.runner import run_action

    config = {"method": "POST", "url": url, "json": json.loads(BODY)}
    request = all_actions()["http.request"]
    return lambda: run_action(
        request,
        config,
        path="tell",
        attempt=1,
        idempotency_key=HEADERS["Idempotency-Key"],
        remaining_seconds=lambda: 30.0,
        is_cancelled=lambda: False,
    )


def httpx2(url: str) -> Send:
    """The high-level client with its own pool."""
    import httpx2

    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    client = httpx2.Client(trust_env=False, limits=limits, timeout=10)
    return lambda: client.post(url, content=BODY, headers=HEADERS).content


def httpcore2(url: str) -> Send:
    """The connection pool below httpx2."""
    import httpcore2

    pool = httpcore2.ConnectionPool(max_connections=64, max_keepalive_connections=64)
    headers = [*HEADERS.items(), ("Host", url.split("/")[2]), ("Content-Length", str(len(BODY)))]
    timeouts = {"timeout": {"connect": 5, "read": 10, "write": 10, "pool": 5}}
    return lambda: pool.request("POST", url, headers=headers, content=BODY, extensions=timeouts).content


def urllib3(url: str) -> Send:
    """What requests stands on."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=64)
    return lambda: pool.request("POST", url, body=BODY, headers=HEADERS, timeout=10, retries=False).data


def stdlib(url: str) -> Send:
    """http.client with a list of idle connections."""
    import http.client

    idle: list[http.client.HTTPConnection] = []
    host, path = url.split("/")[2], "/" + url.split("/", 3)[3]

    def send() -> bytes:
        connection = idle.pop() if idle else http.client.HTTPConnection(host, timeout=10)
        connection.request("POST", path, BODY, HEADERS)
        body = connection.getresponse().read()
        idle.append(connection)
        return body

    return send


def h11(url: str) -> Send:
    """Sockets with h11, the protocol in Python."""
    import h11

    idle: list[tuple[socket.socket, h11.Connection]] = []
    host, path = url.split("/")[2], "/" + url.split("/", 3)[3]
    headers = [("Host", host), *HEADERS.items(), ("Content-Length", str(len(BODY)))]

    def connect() -> tuple[socket.socket, h11.Connection]:
        name, _, port = host.partition(":")
        return socket.create_connection((name, int(port)), timeout=10), h11.Connection(h11.CLIENT)

    def send() -> bytes:
        connected, protocol = idle.pop() if idle else connect()
        request = h11.Request(method="POST", target=path, headers=headers)
        connected.sendall(b"".join(protocol.send(e) for e in (request, h11.Data(BODY), h11.EndOfMessage())))
        body = b""
        while type(event := protocol.next_event()) is not h11.EndOfMessage:
            if event is h11.NEED_DATA:
                protocol.receive_data(connected.recv(65536))
            elif type(event) is h11.Data:
                body += event.data
        protocol.start_next_cycle()
        idle.append((connected, protocol))
        return body

    return send


CANDIDATES: dict[str, Callable[[str], Send]] = {
    make.__name__: make for make in (door, action, httpx2, httpcore2, urllib3, stdlib, h11)
}


def measure(send: Send, *, threads: int, requests: int) -> tuple[float, float]:
    """CPU milliseconds per request, and requests per second, with that many threads at once."""
    for _ in range(20):
        send()
    gate = threading.Barrier(threads + 1)

    def work() -> None:
        gate.wait()
        for _ in range(requests):
            send()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    cpu_before, began = time.process_time(), time.perf_counter()
    for worker in workers:
        worker.join()
    total = threads * requests
    return (time.process_time() - cpu_before) / total * 1000, total / (time.perf_counter() - began)


def main() -> None:
    """Measure each candidate in turn, round after round, and print the median of its rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--requests", type=int, default=400, help="per thread")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(CANDIDATES), help="comma-separated names")
    asked = parser.parse_args()
    absent = {name for name in ("httpx2", "httpcore2", "urllib3", "h11") if importlib.util.find_spec(name) is None}
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    senders = {name: CANDIDATES[name](url) for name in asked.only.split(",") if name not in absent}
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in senders}
    for _ in range(asked.rounds):
        for name, send in senders.items():
            rounds[name].append(measure(send, threads=asked.threads, requests=asked.requests))
    server.terminate()
    figures = {
        name: {
            "cpu_ms": round(statistics.median(cpu for cpu, _ in found), 3),
            "per_second": round(statistics.median(rate for _, rate in found)),
        }
        for name, found in rounds.items()
    }
    show("egress", {"threads": asked.threads, "rounds": asked.rounds, **machine(), "candidates": figures})


if __name__ == "__main__":
    main()
