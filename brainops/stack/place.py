"""Where an installation keeps its things: one folder, `.brainops/` beside the checkout or BRAINOPS_DATA."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """The data folder and the names in it. Everything in it is for its owner only."""

    data: Path

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def api_key(self) -> Path:
        return self.secrets / "api_key"

    @property
    def sample(self) -> Path:
        return self.data / "sample"

    @property
    def ports(self) -> Path:
        return self.data / "ports.json"

    @property
    def environment(self) -> Path:
        return self.data / "environment"

    @property
    def state(self) -> Path:
        return self.data / "run.json"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def everything(self) -> list[Path]:
        """All that `reset` may remove: our names only, should the folder hold other things."""
        known = [self.logs, self.postgres, self.valkey, self.secrets]
        return [*known, self.sample, self.ports, self.environment, self.state, self.lock]

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Make the folders, closed to everybody else."""
        for folder in (self.data, self.logs, self.secrets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def find_place(environment: Mapping[str, str]) -> Place:
    """The data folder of this installation; it need not exist yet."""
    named = environment.get("BRAINOPS_DATA")
    return Place(Path(os.path.abspath(Path(named).expanduser())) if named else CHECKOUT / ".brainops")
