"""Real processes on the test database: workers, a web server, and a receiver that remembers every effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.db import connection

from automation.models import Worker, WorkerState
from brainops.stack.ports import free_port

PROCFILE = Path(__file__).resolve().parent.parent / "Procfile"


class Receiver:
    """An HTTP server that notes the body and the idempotency key of each POST, and may take its time."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        self.keys: dict[str, Counter[str]] = defaultdict(Counter)  # body id -> idempotency keys seen
        self.traces: list[str | None] = []  # the trace context of each
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.traces.append(self.headers.get("traceparent"))
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


def environment(allow: str) -> dict[str, str]:
    """The environment of a process on the test database, with quick clocks; it may call `allow` (host:port)."""
    return {
        **os.environ,
        "DATABASE_URL": _test_database_url(),
        "BRAINOPS_EGRESS_ALLOW": allow,
        "BRAINOPS_HEARTBEAT_SECONDS": "0.3",
        "BRAINOPS_DEAD_SECONDS": "2",
        "BRAINOPS_TICK_SECONDS": "0.3",
        "BRAINOPS_LOG_LEVEL": "WARNING",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


class Web:
    """The Procfile's own web line on a free port, or the same line with another application."""

    def __init__(self, allow: str, *, application: str = "brainops.wsgi:application", **environment_too: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"PORT": str(self.port), "BRAINOPS_PUBLIC_URL": self.url}
        line = next(line for line in PROCFILE.read_text().splitlines() if line.startswith("web:"))
        line = line.removeprefix("web:").strip().replace("brainops.wsgi:application", application)
        given = {**environment(allow), **own, **environment_too}
        self._process = subprocess.Popen(["sh", "-c", f"exec {line}"], env=given, cwd=PROCFILE.parent)
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(OSError), urlopen(f"{self.url}/api/v1/automation/health", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


class Workers:
    """Started and ended by pid; each is a whole `celery worker` as in the Procfile."""

    def __init__(self, allow: str, *, said: Path | None = None) -> None:
        """`said` is a file that gets what they write to stderr."""
        self._environment = environment(allow)
        self._said = said
        self.processes: list[subprocess.Popen[bytes]] = []

    def allow(self, target: str) -> None:
        """Let workers started from now on call this `host:port` too."""
        self._environment["BRAINOPS_EGRESS_ALLOW"] += f",{target}"

    def start(self, count: int = 1, **environment: str) -> list[subprocess.Popen[bytes]]:
        """Start `count` more and wait until they breathe."""
        options = ["-P", "threads", "-c", "2", "--without-gossip", "--without-mingle", "-l", "error"]
        command = [sys.executable, "-m", "celery", "-A", "brainops", "worker", *options]
        with ExitStack() as stack:
            stderr = None if self._said is None else stack.enter_context(self._said.open("ab"))
            given = {**self._environment, **environment}
            new = [subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=stderr) for _ in range(count)]
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


def wait_until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)
