"""Which outcomes the steps of a document can take."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.document.parse import StepDocument
from automation.engine.kinds import Kind, Kinds

ERROR_PORT = "error"
TRY_PORTS = ("ok", "caught")  # the body succeeded; a failure of it was caught


def ports_of(kind: Kind, config: Mapping[str, object], on_error: str) -> tuple[str, ...]:
    """The named outcomes of a step: those of its kind, and `error` when a failure does not end the run."""
    named = tuple(port for port in kind.ports(config) if port)
    return (*named, ERROR_PORT) if on_error == "continue" else named


def container_ports(step: StepDocument) -> tuple[str, ...]:
    """The named outcomes of a loop, a try, a group or a call: what happens inside takes none outside."""
    named = TRY_PORTS if "try" in step.fields and "for_each" not in step.fields else ()
    return (*named, ERROR_PORT) if step.on_error == "continue" else named


class Ports:
    """The outcomes of steps whose kind is known and whose `with` is right; of others nobody can tell."""

    def __init__(self, kinds: Kinds, broken: frozenset[str]) -> None:
        self._kinds = kinds
        self._broken = broken

    def of(self, step: StepDocument) -> tuple[str, ...] | None:
        """The named outcomes, None when they cannot be known."""
        if step.is_container or "for_each" in step.fields or "call" in step.fields:
            return container_ports(step)
        kind = self._kinds.get(step.uses or "")
        if kind is None or step.pointer in self._broken:
            return None
        return ports_of(kind, step.config, step.on_error)
