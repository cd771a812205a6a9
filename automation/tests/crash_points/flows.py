"""Small flows, each passing the points it is named for, and what must be true when they end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Flow:
    """A document without its URL, the points it passes, and the output it ends with.

    `may_repeat` names the points after which one effect is seen twice (with one key): a crash between the effect and
    the commit of its result.
    """

    points: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    output: Any
    expected: Any
    more: dict[str, Any] = field(default_factory=dict)

    def document(self, url: str) -> dict[str, Any]:
        """The whole document; steps that call somebody call `url`."""
        return {"schema": 1, "steps": [_aimed(step, url) for step in self.steps], "output": self.output, **self.more}


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
            "after_checkpoint_commit",
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
}
