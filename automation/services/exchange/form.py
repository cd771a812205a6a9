"""The format's own facts: its name and version, its schema, its checksums, the forms it is written in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from automation.engine.checker import Checker
from automation.services.documents import canonical

Json = Any

FORMAT = "brainops/export"
FORMAT_VERSION = 1
EMPTY_CHAIN = "0" * 64  # the checksum of no workflows
MOST_HISTORY = 10_000  # earlier versions of one workflow in a file
MEMBER = "export.ndjson"  # what a zip file of ours holds


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write the format down."""

    key: str
    media_type: str
    suffix: str


FORMS: Mapping[str, Form] = {
    form.key: form
    for form in (
        Form("json", "application/json", "json"),
        Form("ndjson", "application/x-ndjson", "ndjson"),
        Form("yaml", "application/yaml", "yaml"),
        Form("zip", "application/zip", "zip"),
    )
}


@lru_cache(maxsize=1)
def export_schema() -> dict[str, Json]:
    """The published JSON Schema of a whole file. Callers must not change it."""
    text = files(__package__).joinpath("export.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Json] = json.loads(text)
    return schema


@lru_cache(maxsize=2)
def checker_of(part: str) -> Checker:
    """The compiled schema of one part of a file: "workflow" or "frame" (a file without its workflows)."""
    schema = export_schema()
    return Checker({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


def workflow_checksum(head: Mapping[str, Json]) -> hashlib._Hash:
    """The running checksum of a workflow that begins with everything but `history` and `checksum`.

    `add_version` goes on with each version of the history, oldest first: so a long history is never in memory.
    """
    bare = {key: value for key, value in head.items() if key not in ("history", "checksum")}
    return hashlib.sha256(canonical(bare))


def add_version(running: hashlib._Hash, version: Mapping[str, Json]) -> None:
    """Go on with one version of the history."""
    running.update(b"\n" + canonical(version))


def checksum_of(workflow: Mapping[str, Json]) -> str:
    """The checksum of a whole workflow of a file: 64 hex digits."""
    running = workflow_checksum(workflow)
    for version in workflow.get("history", ()):
        add_version(running, version)
    return running.hexdigest()


def chained(chain: str, checksum: str) -> str:
    """The checksum of a file that goes on with a workflow: SHA-256 of the two texts, one after the other."""
    return hashlib.sha256((chain + checksum).encode()).hexdigest()
