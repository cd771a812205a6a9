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
USER, WORKSPACE = "admin", "main"


@dataclass(slots=True)
class Furnishing:
    """Makes what is missing, and finds again what an earlier start has made.

    The key and the sample's id are kept in files and tried before use: the database may
    have been changed under them.
    """

    place: Place
    phases: Phases
    address: str
    report: Report
    workflow: str = ""

    @property
    def is_known(self) -> bool:
        """Whether an earlier start has left a key and a sample to try."""
        return self.place.api_key.exists() and self.place.sample.exists()

    def make_admin_and_samples(self) -> None:
        """Create the admin unless there is one, and load the sample workflows."""
        made = self.phases.manage("create_admin", "--workspace", WORKSPACE).strip()
        if made:  # said at once: should a later phase fail, nobody could ever read it again
            self.report.line("\n  The admin, shown this once:")
            self.report.line("".join(f"    {line}\n" for line in made.splitlines()))
        found = UUID.search(self.phases.manage("load_samples", "--workspace", WORKSPACE))
        if found is None:
            raise StartError("load_samples printed no workflow id, so there is no sample to run.")
        self.workflow = found[0]
        secret_files.store(self.place.sample, f"{self.workflow}\n")

    def finish(self) -> Sample:
        """The sample to run, and the key to do it with. Needs the web process."""
        if not self.workflow and (known := self._try_known()):
            return known
        if not self.workflow:
            self.make_admin_and_samples()
        return Sample(self.workflow, self._make_key(), self.place.api_key)

    def _try_known(self) -> Sample | None:
        """What an earlier start left, if the product still accepts it."""
        key, workflow = (path.read_text(encoding="utf-8").strip() for path in (self.place.api_key, self.place.sample))
        try:
            Client(self.address, key).call("GET", f"/workflows/{workflow}")
        except Refused as refused:
            if refused.status in (401, 403, 404):
                return None
            raise
        return Sample(workflow, key, self.place.api_key)

    def _make_key(self) -> str:
        """A key that may build and run, for the sample and for the person's first own calls."""
        named = ("--user", USER, "--workspace", WORKSPACE, "--role", "builder", "--name", "bin/brainops")
        key = self.phases.manage("create_api_key", *named).strip()
        secret_files.store(self.place.api_key, f"{key}\n")
        return key
