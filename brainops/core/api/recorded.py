"""Examples of the OpenAPI document: requests and answers recorded from the API itself (`tests/api/story`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent / "examples"
Told = dict[str, Any]


@cache
def recorded() -> dict[str, Told]:
    """What was recorded, by operation id: `{"request": {type: body}, "answers": {status: {type: body}}}`."""
    files = [orjson.loads(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))]
    return {name: told for file in files for name, told in file.items()}


def put_recorded_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Show a recorded example wherever nobody wrote one by hand.

    A hook of drf-spectacular; `result` is the whole document and is changed in place.
    """
    for methods in result["paths"].values():
        for operation in methods.values():
            told = recorded().get(operation["operationId"], {})
            _put(operation.get("requestBody", {}), told.get("request", {}))
            for status, answer in operation["responses"].items():
                _put(answer, told.get("answers", {}).get(status, {}))
    return result


def _put(described: dict[str, Any], told: dict[str, Any]) -> None:
    for kind, media in described.get("content", {}).items():
        if kind in told and "example" not in media and "examples" not in media:
            media["example"] = told[kind]
