"""Answer: what a request was answered, as it is kept for the same request sent again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and headers. `is_replay`: an earlier request was answered this, nothing was done now."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_replay: bool = False
