"""Small flows, each passing the points it is named for, and what must be true when they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flow:
    """A document without its URL, the points it passes, and the output it ends with.

    `act` is what somebody must do when the run waits: "signal" or "approve".
    """

    points: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    output: Any
    expected: Any
    act: str | None = None
    limit: int | None = None  # of runs at once; then a second one waits for the first

    def document(self, url: str) -> dict[str, Any]:
        """The whole document; steps that call somebody call `url`."""
        settings = {"settings": {"concurrency": {"limit": self.limit}}} if self.limit else {}
        return {"schema": 1, "steps": [_aimed(step, url) for step in self.steps], "output": self.output, **settings}


def _aimed(step: dict[str, Any], url: str) -> dict[str, Any]:
    return {**step, "with": step["with"] | {"url": url}} if step.get("uses") == "http.request" else step


def shape(id_: str = "shape", *needs: str, value: Any = "{{ inputs.id * 2 }}") -> dict[str, Any]:
    return {"id": id_, "uses": "transform", "with": {"set": {"value": value}}, **_needs(needs)}


def send(id_: str, *needs: str) -> dict[str, Any]:
    body = {"id": id_}
    return {"id": id_, "uses": "http.request", "with": {"method": "POST", "json": body}, **_needs(needs)}


def _needs(needs: tuple[str, ...]) -> dict[str, Any]:
    return {"needs": list(needs)} if needs else {}


FLOWS = {
    "two effects around a wait": Flow(
        points=(
            "after_claim_commit",
            "before_effect",
            "after_effect",
            "in_park",
            "in_recover",
        ),
        steps=(
            shape(),
            send("first", "shape"),
            {"id": "nap", "uses": "delay", "needs": ["first"], "with": {"for": 0.1}},
            send("second", "nap"),
            shape("last", "second", value="{{ steps.shape.output.value + 1 }}"),
        ),
        output="{{ steps.last.output.value }}",
        expected=15,
    ),
    "one effect after the other": Flow(
        points=("before_effect", "after_effect", "after_checkpoint_commit"),
        steps=(send("first"), send("second", "first"), send("third", "second")),
        output="{{ steps.third.status }}",
        expected="succeeded",
    ),
    "a count": Flow(
        points=("in_local_effect", "after_local_effect"),
        steps=(
            {"id": "count", "uses": "state_increment", "with": {"key": "count-{{ run.id }}"}},
            send("tell", "count"),
        ),
        output="{{ steps.count.output.value }}",
        expected=1,
    ),
    "a limit": Flow(
        points=("in_admit",),
        steps=(shape(), send("tell", "shape")),
        output="{{ steps.shape.output.value }}",
        expected=14,
        limit=1,
    ),
    "a call": Flow(
        points=("in_child_create",),
        steps=({"id": "child", "call": {"workflow": "callee", "inputs": {"id": "{{ inputs.id }}"}}},),
        output="{{ steps.child.output }}",
        expected=14,
    ),
    "a signal": Flow(
        points=("in_signal",),
        steps=({"id": "wait", "uses": "wait_signal", "with": {"name": "go"}}, send("tell", "wait")),
        output="{{ steps.wait.output.payload.n }}",
        expected=7,
        act="signal",
    ),
    "an approval": Flow(
        points=("in_decision",),
        steps=({"id": "ask", "uses": "approval", "with": {"title": "Go on?"}}, send("tell", "ask.approved")),
        output="{{ steps.ask.status }}",
        expected="succeeded",
        act="approve",
    ),
}
