"""What a new installation needs before its first run: an admin, samples, an API key."""

import re
from dataclasses import dataclass

from brainops.stack import secret_files
from brainops.stack.children import StartError
from brainops.stack.client import Client, Refused
from brainops.stack.phases import Phases
from brainops.stack.place import Place
from brainops.stack.report import Report
from brainops.stack.sample import Sample

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USER, WORKSPACE, KEY_NAME = "admin", "main", "bin/brainops"


@dataclass(slots=True)
class Furnishing:
    """Makes what is missing, and finds again what an earlier start has made.

    The key and the sample's id are kept in files and tried before use: the database may
    have been changed under them.
    """

    place: Place
    phases: Phases
    report: Report

    def known(self) -> Sample | None:
        """What an earlier start has left here; None when this is the first."""
        if not (self.place.api_key.exists() and self.place.sample.exists()):
            return None
        workflow, key = (path.read_text(encoding="utf-8").strip() for path in (self.place.sample, self.place.api_key))
        return Sample(workflow, key, self.place.api_key)

    def is_accepted(self, sample: Sample, address: str) -> bool:
        """Whether the running product still knows the key and the workflow."""
        try:
            Client(address, sample.key).call("GET", f"/workflows/{sample.workflow}")
        except Refused as refused:
            if refused.status in (401, 403, 404):
                return False
            raise
        return True

    def make(self) -> Sample:
        """Create the admin unless there is one, load the samples, and make a key.

        The key may build and run: for the sample and for the person's first own calls.
        """
        admin, samples, key = self.phases.manage(
            ["create_admin", "--workspace", WORKSPACE],
            ["load_samples", "--workspace", WORKSPACE],
            ["create_api_key", "--user", USER, "--workspace", WORKSPACE, "--role", "builder", "--name", KEY_NAME],
        )
        if admin.strip():
            self.report.line("\n  The admin, shown this once:")
            self.report.line("".join(f"    {line}\n" for line in admin.strip().splitlines()))
        found = UUID.search(samples)
        if found is None:
            raise StartError("load_samples printed no workflow id, so there is no sample to run.")
        secret_files.store(self.place.api_key, f"{key.strip()}\n")
        secret_files.store(self.place.sample, f"{found[0]}\n")
        return Sample(found[0], key.strip(), self.place.api_key)
