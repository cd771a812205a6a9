"""An installation of our own for the benchmarks: the launcher's, or bare servers for the engine alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.product import Product

LAUNCHER = Path(__file__).resolve().parent.parent / "bin" / "brainops"
SAMPLE = re.compile(r"\[\s*([\d.]+) s\].*sample", re.IGNORECASE)


@dataclass(frozen=True)
class Installation:
    """A running installation: how to talk to it and which processes belong to it."""

    product: Product
    roots: dict[str, int]
    start_figures: dict[str, Any]

    @staticmethod
    def own_figures(name: str) -> dict[str, Any]:
        """Run a benchmark of the engine alone on fresh servers with a durable database."""
        with _bare_servers() as environment:
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
            output = subprocess.run(
                [sys.executable, "-m", f"benchmarks.{name}"],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        lines = [line for line in output.splitlines() if line.startswith('{"benchmark"')]
        return dict(json.loads(lines[-1]))


@contextmanager
def installed(data: Path | None, *, allow: str) -> Iterator[Installation]:
    """Start an installation in an empty folder with the default settings; stop it afterwards."""
    folder = data or Path(tempfile.mkdtemp(prefix="brainops-bench-"))
    environment = {**os.environ, "BRAINOPS_DATA": str(folder), "BRAINOPS_EGRESS_ALLOW": allow}
    started = time.perf_counter()
    up = subprocess.run(
        [LAUNCHER, "up", "--detach"], env=environment, check=True, capture_output=True, text=True, timeout=300
    )
    elapsed = time.perf_counter() - started
    try:
        status = json.loads(_output([LAUNCHER, "status", "--json"], environment))
        key_command = ["manage", "create_api_key", "--user", "bench", "--workspace", "bench", "--role", "admin"]
        key = _output([LAUNCHER, *key_command], environment).strip().splitlines()[-1]
        roots = {process["name"]: process["pid"] for process in status["processes"]}
        roots["load"] = os.getpid()
        sample = SAMPLE.search(up.stdout)
        figures = {
            "up_seconds": round(elapsed, 1),
            "sample_finished_seconds": float(sample.group(1)) if sample else None,
        }
        yield Installation(Product(_web(status), key), roots, figures)
    finally:
        subprocess.run([LAUNCHER, "down"], env=environment, check=False, capture_output=True)


def _web(status: dict[str, Any]) -> str:
    return str(status["addresses"]["api"]).partition("/api/")[0]


def _output(command: list[Any], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


@contextmanager
def _bare_servers() -> Iterator[dict[str, str]]:
    from brainops.stack import throwaway

    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    before = dict(throwaway.VOLATILE)
    throwaway.VOLATILE.update(durable)
    servers = throwaway.start_throwaway(os.environ)
    throwaway.VOLATILE.update(before)
    try:
        yield {
            **os.environ,
            "DATABASE_URL": servers.postgres.url("postgres"),
            "REDIS_URL": servers.valkey.url(),
            "BRAINOPS_DEBUG": "1",
            "BRAINOPS_LOG_LEVEL": "ERROR",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
    finally:
        servers.stop()
