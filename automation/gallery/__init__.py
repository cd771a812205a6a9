"""The gallery: ready-made workflows, one JSON file each. A file added here is a sample; no code names it.

A file holds what POST /workflows takes: name, description, tags, definition. Its name without `.json` is the sample's
key. Tests check every file against the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Sample:
    """A ready-made workflow. `body` is what POST /workflows takes."""

    key: str
    body: dict[str, Any]


@cache
def all_samples() -> tuple[Sample, ...]:
    """Every sample, by key."""
    found = [file for file in files(__name__).iterdir() if file.name.endswith(".json")]
    samples = (Sample(file.name.removesuffix(".json"), orjson.loads(file.read_bytes())) for file in found)
    return tuple(sorted(samples, key=lambda sample: sample.key))
