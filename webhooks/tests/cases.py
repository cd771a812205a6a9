"""Real cases that stand beside the checkout; without them their tests skip and say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def load(name: str) -> Any:
    """A JSON file of the cases; None when they are not there."""
    path = CASES / name
    return json.loads(path.read_bytes()) if path.is_file() else None


def rows(name: str, **wanted: tuple[str, ...]) -> list[Any]:
    """Parameters for pytest: the rows of a file whose fields are among the wanted ones, or one that skips."""
    found = load(name)
    if found is None:
        skip = pytest.mark.skip(reason=f"shared/cases/{name} is not beside this checkout")
        return [pytest.param(None, marks=skip, id="no-cases")]
    return [row for row in found if all(row[field] in values for field, values in wanted.items())]


def body_of(row: dict[str, Any]) -> bytes:
    """The raw body of a delivery."""
    if row.get("body_file"):
        return (CASES / "webhooks" / row["body_file"]).read_bytes()
    return str(row["body"]).encode()
