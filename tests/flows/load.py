"""Flow files: each proves one behaviour of workflows, whoever runs it.

A file begins with a comment that says what it proves, then holds:

- `definition`: the workflow document; `inputs` and `trigger`: what the run is started with.
- `server`: answers of the test's HTTP server by "METHOD /path", given in turn, the last one again and again. A flow
  reads its address as `inputs.server`.
- `values`: what the workspace keeps by key before the start. `variables` and `secrets`: those of the workspace by name.
- `signals`: what is sent to the run, in this order. `[name, payload]` is sent at its start, `[name, payload, path]`
  as soon as the step at that path waits; where the clock jumps that is not before all timers have run out.
  `{url_of: path, payload}` calls the one-time URL of that step as soon as there is one.
- `answers`: what people say to the approval at a path: `{state, comment, data, by}`, or a list of what several say.
  `state` is approved or rejected, for an effect nobody knows about happened, repeat or fail.
- `workflows`: documents of workflows that it may call, by name. The flow's own name is that of its file.
- `survived`: rows that an earlier life of the run left behind: `{path, status, attempt, output, …}`. A batch of a loop
  has `of`, the items it belongs to, and `items`, what is known of them.
- `limits`: ceilings of this run that are lower than usual: `loop_items`, `run_bytes`.
- `retry`: what the run is retried with once it has ended: `from` (`start`, `failed`, a step or an item), `inputs`,
  `definition` (the latest version then), `answers`, and `expect` of the new run.
- `expect`: what must be seen; see `observed.py`. `takes` in it is the run's time when it has to wait: runners without
  a clock that jumps leave out what takes too long for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Json = Any
Answers = Mapping[str, list[dict[str, Json]]]
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class SignalFile:
    """One signal: by its `name`, or by the one-time URL of the step `url_of`; at once, or when the step `when` waits."""

    payload: Json
    name: str = ""
    when: str | None = None
    url_of: str | None = None


@dataclass(frozen=True)
class RetryFile:
    """How a flow is retried. `definition` and `inputs` None take those of the run."""

    origin: str
    expect: dict[str, Json]
    inputs: dict[str, Json] | None = None
    definition: dict[str, Json] | None = None
    answers: Answers = field(default_factory=dict)


@dataclass(frozen=True)
class FlowFile:
    """One conformance flow."""

    name: str
    proves: str
    definition: dict[str, Json]
    expect: dict[str, Json]
    inputs: dict[str, Json] = field(default_factory=dict)
    trigger: Json = None
    server: dict[str, list[dict[str, Json]]] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    signals: tuple[SignalFile, ...] = ()
    answers: Answers = field(default_factory=dict)
    workflows: dict[str, dict[str, Json]] = field(default_factory=dict)
    survived: tuple[dict[str, Json], ...] = ()
    limits: dict[str, int] = field(default_factory=dict)
    retry: RetryFile | None = None


KEYS = frozenset(FlowFile.__dataclass_fields__) - {"name", "proves"}


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
    read: dict[str, Callable[[Json], Json]] = {
        "signals": lambda said: tuple(map(_signal, said)),
        "answers": _answers,
        "survived": tuple,
        "retry": _retry,
    }
    values = {key: read[key](value) if key in read else value for key, value in held.items()}
    return FlowFile(name=path.stem, proves=first.removeprefix("# "), **values)


def all_flows() -> list[FlowFile]:
    """Every flow of this folder, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.yaml"))]


def _signal(said: Json) -> SignalFile:
    if isinstance(said, dict):
        return SignalFile(**said)
    name, payload, *when = said
    return SignalFile(payload, name, *when)


def _answers(said: Mapping[str, Json]) -> Answers:
    return {path: one if isinstance(one, list) else [one] for path, one in said.items()}


def _retry(said: Mapping[str, Json]) -> RetryFile:
    rest = {key: value for key, value in said.items() if key not in ("from", "answers")}
    return RetryFile(origin=said["from"], answers=_answers(said.get("answers", {})), **rest)
