"""What a workspace has of what it may have: told by the rooms that count it, shown in the admin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brainops.core.registry import Registry


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """How full a quota is. `limit` None: there is none."""

    name: str
    used: int
    limit: int | None
    resets_at: datetime | None = None
    measured_at: datetime | None = None

    def __str__(self) -> str:
        words = self.name.replace("_", " ")
        return f"{words}: {self.used:,} of {self.limit:,}" if self.limit is not None else f"{words}: {self.used:,}"


# Functions that count what a workspace has of their things.
providers: Registry[Callable[[UUID], Sequence[QuotaUse]]] = Registry("usage")


def of_workspace(workspace_id: UUID) -> list[QuotaUse]:
    """Everything that is counted for a workspace, now."""
    return [use for provide in providers.values() for use in provide(workspace_id)]
