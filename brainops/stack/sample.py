"""Run the sample workflow through the public API: the proof that everything works together."""

import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainops.stack import secret_files
from brainops.stack.children import StartError
from brainops.stack.client import API, Client, Refused
from brainops.stack.phases import Phases
from brainops.stack.place import Place

FINAL = ("succeeded", "failed", "cancelled", "timed_out")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USER, WORKSPACE = "admin", "main"
WAIT_SECONDS = 20
SAMPLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample workflow's id, and the key that may run it."""

    workflow: str
    key_file: Path

    def curl(self, address: str) -> str:
        """A line to paste that starts a real run and waits for its result."""
        url = f"{address}{API}/workflows/{self.workflow}/execute?wait=10"
        key = f'"Authorization: Bearer $(cat {shlex.quote(str(self.key_file))})"'
        return f"curl -sX POST '{url}' -H {key} -H 'Content-Type: application/json' -d '{{\"inputs\": {{}}}}'"


def load_sample(phases: Phases, place: Place) -> Sample:
    """Load the sample workflows; the first one printed is the one to run."""
    found = UUID.search(phases.manage("load_samples", "--workspace", WORKSPACE))
    if found is None:
        raise StartError("load_samples printed no workflow id, so there is no sample to run.")
    return Sample(found[0], key_path(place))


def key_path(place: Place) -> Path:
    """The file with this installation's API key."""
    return place.secrets / "api_key"


def ensure_key(phases: Phases, place: Place, address: str) -> str:
    """The API key of this installation; a new one when there is none or it was revoked."""
    path = key_path(place)
    if path.exists():
        key = path.read_text(encoding="utf-8").strip()
        if _is_accepted(Client(address, key)):
            return key
    made = phases.manage(
        "create_api_key",
        *("--user", USER, "--workspace", WORKSPACE, "--role", "builder", "--name", "bin/brainops"),
    ).strip()
    secret_files.store(path, made + "\n")
    return made


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


def _is_accepted(client: Client) -> bool:
    try:
        client.call("GET", "/workflows?limit=1")
    except Refused as error:
        if error.status in (401, 403):
            return False
        raise
    return True
