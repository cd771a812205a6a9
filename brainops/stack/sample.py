"""Run the sample workflow through the public API: the proof that everything works together."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainops.stack.children import StartError
from brainops.stack.client import API, Client

FINAL = ("succeeded", "failed", "cancelled", "timed_out")
WAIT_SECONDS = 20
SAMPLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample workflow's id, the key that may run it, and the file that holds the key."""

    workflow: str
    key: str
    key_file: Path

    def curl(self, address: str) -> str:
        """A line to paste that starts a real run and waits for its result."""
        url = f"{address}{API}/workflows/{self.workflow}/execute?wait=10"
        key = f'"Authorization: Bearer $(cat {shlex.quote(str(self.key_file))})"'
        return f"curl -sX POST '{url}' -H {key} -H 'Content-Type: application/json' -d '{{\"inputs\": {{}}}}'"


def run_sample(client: Client, sample: Sample) -> dict[str, Any]:
    """Start the sample and wait for its end; raises StartError when it does not succeed."""
    deadline = time.monotonic() + SAMPLE_SECONDS
    path = f"/workflows/{sample.workflow}/execute?wait={WAIT_SECONDS}"
    run = client.call("POST", path, {"inputs": {}}, timeout_seconds=WAIT_SECONDS + 10)
    while run["status"] not in FINAL:
        if time.monotonic() > deadline:
            raise StartError(f"The sample run {run['id']} is still {run['status']!r} after {SAMPLE_SECONDS:.0f} s.")
        time.sleep(0.1)
        run = client.call("GET", f"/runs/{run['id']}")
    if run["status"] != "succeeded":
        raise StartError(f"The sample run {run['id']} ended as {run['status']!r}: {run.get('error')}")
    return dict(run)
