"""The shell blocks of docs/operations.md that say `sh run` are run as they stand, in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brainops.stack.ports import free_port
from tests.architecture.source import CHECKOUT

PAGE = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh run\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def environment(tmp_path: Path) -> dict[str, str]:
    """What an operator has set: folders, addresses, a token. Nothing of this test run's own settings."""
    ours = ("BRAINOPS_", "DJANGO_", "TEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    (tmp_path / "backups").mkdir()
    port = free_port()
    # as a first start with --port would have settled it
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ports.json").write_text(f'{{"web": {port}}}')
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "BRAINOPS_VENV": os.environ.get("BRAINOPS_VENV", str(Path(sys.executable).parent.parent)),
        "BRAINOPS_DATA": str(tmp_path / "data"),
        "BRAINOPS_METRICS_TOKEN": "token-of-the-scraper",
        "BRAINOPS": f"http://127.0.0.1:{port}",
        "BACKUPS": str(tmp_path / "backups"),
        "FRESH": str(tmp_path / "fresh"),
        "KEYS": str(tmp_path / "data/secrets"),
    }


def test_the_page_has_commands_for_each_part_of_an_operators_work():
    said = "".join(BLOCKS)

    words = (
        "up --detach",
        "/health",
        "/internal/metrics",
        "pause",
        "resume",
        "backup",
        "restore",
        "rotate_keys --check",
    )
    assert [word for word in words if word not in said] == []
    assert len(BLOCKS) >= 9


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_every_command_of_the_page_does_what_it_says(tmp_path):
    script = "set -euo pipefail\n" + "\n".join(f"printf '\\n=== {n}\\n'\n{block}" for n, block in enumerate(BLOCKS))
    known = environment(tmp_path)
    try:
        done = subprocess.run(
            ["bash", "-c", script], cwd=CHECKOUT, env=known, capture_output=True, text=True, check=False, timeout=400
        )
    finally:
        down = [sys.executable, "-m", "brainops.stack", "down"]
        subprocess.run(down, cwd=CHECKOUT, env=known, capture_output=True, check=False, timeout=150)

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    parts = re.split(r"^=== \d+$", done.stdout, flags=re.MULTILINE)[1:]
    assert len(parts) == len(BLOCKS)
    assert '{"status":"ok"}' in done.stdout.replace(" ", "")
    assert "Nothing is under way." in done.stdout
    assert "Restored " in done.stdout
    assert (tmp_path / "backups/brainops.dump").stat().st_size > 10_000
