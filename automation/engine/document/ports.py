"""Which outcomes the steps of a document can take."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.document.parse import StepDocument
from automation.engine.kinds import Kind, Kinds

ERROR_PORT = "error"


def ports_of(kind: Kind, config: Mapping[str, object], on_error: str) -> tuple[str, ...]:
    """The named outcomes of a step: those of its kind, and `error` when a failure does not end the run."""
    named = tuple(port for port in kind.ports(config) if port)
    return (*named, ERROR_PORT) if on_error == "continue" else named


class Ports:
    """The outcomes of steps whose kind is known and whose `with` is right; of others nobody can tell."""

    def __init__(self, kinds: Kinds, broken: frozenset[str]) -> None:
        self._kinds = kinds
        self._broken = broken

    def of(self, step: StepDocument) -> tuple[str, ...] | None:
        """The named outcomes, None when they cannot be known."""
        kind = self._kinds.get(step.uses or "")
        if kind is None or step.pointer in self._broken:
            return None
        return ports_of(kind, step.config, step.on_error)
