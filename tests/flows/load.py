"""Flow files: each proves one behaviour of workflows, whoever runs it.

A file begins with a comment that says what it proves, then holds:

- `definition`: the workflow document; `inputs` and `trigger`: what the run is started with.
- `server`: answers of the test's HTTP server by "METHOD /path", given in turn, the last one again and again. A flow
  reads its address as `inputs.server`.
- `signals`: what is sent to the run at its start, `[name, payload]` each.
- `answers`: what people say to the approval at a path: `{state: approved | rejected, comment, data}`.
- `expect`: what must be seen; see `observed.py`. `takes` in it is the run's time when it has to wait: runners without
  a clock that jumps leave out what takes too long for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
KEYS = frozenset({"definition", "inputs", "trigger", "server", "signals", "answers", "expect"})


@dataclass(frozen=True)
class FlowFile:
    """One conformance flow."""

    name: str
    proves: str
    definition: dict[str, Any]
    inputs: dict[str, Any]
    trigger: Any
    server: dict[str, list[dict[str, Any]]]
    expect: dict[str, Any]
    signals: list[tuple[str, Any]]
    answers: dict[str, dict[str, Any]]


def load(path: Path) -> FlowFile:
    """Read one file. Raises ValueError for a missing first line or unknown keys."""
    text = path.read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    if not first.startswith("# ") or not first.endswith("."):
        raise ValueError(f"{path.name}: the first line must be a comment that says what the flow proves.")
    held = yaml.safe_load(text)
    unknown = held.keys() - KEYS
    if unknown:
        raise ValueError(f"{path.name}: unknown keys {sorted(unknown)}.")
    return FlowFile(
        name=path.stem,
        proves=first.removeprefix("# "),
        definition=held["definition"],
        inputs=held.get("inputs", {}),
        trigger=held.get("trigger"),
        server=held.get("server", {}),
        expect=held["expect"],
        signals=[(name, payload) for name, payload in held.get("signals", [])],
        answers=held.get("answers", {}),
    )


def all_flows() -> list[FlowFile]:
    """Every flow of this folder, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.yaml"))]
