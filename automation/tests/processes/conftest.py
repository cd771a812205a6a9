"""Real Celery worker processes on the test database, and a receiver that remembers every effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection

from automation.models import Worker, WorkerState


class Receiver:
    """An HTTP server that notes the body and the idempotency key of each POST, and may take its time."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        self.keys: dict[str, Counter[str]] = defaultdict(Counter)  # body id -> idempotency keys seen
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.keys[str(body["id"])][self.headers.get("Idempotency-Key", "")] += 1
                time.sleep(receiver.delay_seconds)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"ok":true}')

            def handle(self) -> None:
                with suppress(ConnectionError):  # a cancelled or killed caller hangs up
                    super().handle()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Workers:
    """Started and ended by pid; each is a whole `celery worker` as in the Procfile."""

    def __init__(self, allow: str) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": _test_database_url(),
            "BRAINOPS_EGRESS_ALLOW": allow,
            "BRAINOPS_HEARTBEAT_SECONDS": "0.3",
            "BRAINOPS_DEAD_SECONDS": "2",
            "BRAINOPS_TICK_SECONDS": "0.3",
            "BRAINOPS_LOG_LEVEL": "WARNING",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, count: int = 1, **environment: str) -> list[subprocess.Popen[bytes]]:
        """Start `count` more and wait until they breathe."""
        options = "-P threads -c 2 --without-gossip --without-mingle -l error".split()
        command = [sys.executable, "-m", "celery", "-A", "brainops", "worker", *options]
        new = [
            subprocess.Popen(command, env={**self._environment, **environment}, stdout=subprocess.DEVNULL)
            for _ in range(count)
        ]
        self.processes += new
        pids = [process.pid for process in new]
        wait_until(lambda: Worker.objects.filter(state=WorkerState.LIVE, pid__in=pids).count() == count)
        return new

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _test_database_url() -> str:
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{base}/{connection.settings_dict['NAME']}"


def wait_until(condition: Callable[[], Any], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def workers(transactional_db: None, receiver: Receiver) -> Iterator[Workers]:
    workers = Workers(receiver.address)
    yield workers
    workers.stop()
