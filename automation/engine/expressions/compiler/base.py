"""Compiler: what the handlers of all nodes share while one template is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from automation.engine.expressions.describe import named
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.syntax.unparse import start_of, unparse
from automation.engine.expressions.values import MISSING, Compiled, Json

DEEPEST_NODES = 64
MOST_NODES = 5_000

Path = tuple[str | int, ...]
Handler = Callable[[Any, "Compiler"], Compiled]
Handlers = Mapping[type[nodes.Node], Handler]


class Compiler:
    """Turns nodes into closures; collects the paths they read and what running them costs.

    `lenient` code returns MISSING for a path that leads nowhere; `compile`d code refuses it.
    """

    def __init__(self, handlers: Handlers, lenient_handlers: Handlers) -> None:
        self._handlers = handlers
        self._lenient_handlers = lenient_handlers
        self._depth = 0
        self.references: set[Path] = set()
        self.required: set[Path] = set()  # those that no `default` or `is defined` stands in for
        self.cost = 0

    def compile(self, node: nodes.Node) -> Compiled:
        """Code of `node` that never returns MISSING."""
        return self._handle(node, self._handlers)

    def lenient(self, node: nodes.Node) -> Compiled:
        """Code of `node` that returns MISSING where something is not there."""
        return self._handle(node, self._lenient_handlers if type(node) in self._lenient_handlers else self._handlers)

    def charge(self, node: nodes.Node) -> None:
        """Count one node that a handler takes apart itself."""
        self.cost += 1
        if self.cost > MOST_NODES:
            raise Refusal(f"a template may have {MOST_NODES} parts", code=Code.BUDGET, position=start_of(node))

    def _handle(self, node: nodes.Node, handlers: Handlers) -> Compiled:
        self.charge(node)
        handler = handlers.get(type(node))
        if handler is None:
            raise refused(node)
        self._depth += 1
        if self._depth > DEEPEST_NODES:
            reason = f"it is nested deeper than {DEEPEST_NODES} levels"
            raise Refusal(reason, code=Code.BUDGET, position=node.lineno, hint="Split the expression.")
        compiled = handler(node, self)
        self._depth -= 1
        return compiled


def refused(node: nodes.Node) -> Refusal:
    """Why a node that Jinja can parse is not part of the language."""
    if isinstance(node, nodes.Call):
        return _refused_call(node)
    if isinstance(node, nodes.Pow):
        return Refusal("** does not exist here", code=Code.SYNTAX, position=start_of(node), hint="Multiply with *.")
    return Refusal(f"{unparse(node)[:60]} does not exist here", code=Code.SYNTAX, position=node.lineno)


def _refused_call(node: nodes.Call) -> Refusal:
    called = node.node
    hint = "Values have no methods: use a filter, as in {{ name|upper }}."
    if isinstance(called, nodes.Getattr):
        hint = f"Use a filter: {unparse(called.node)[:60]}|{called.attr[:60]}."
    elif isinstance(called, nodes.Name) and called.name in ("now", "today", "utcnow"):
        hint = "The time of the run is run.started_at."
    return Refusal("nothing can be called", code=Code.SYNTAX, position=start_of(node), hint=hint)


def literal(node: nodes.Node) -> Json:
    """The value of a scalar that is written out, MISSING for anything else."""
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.Name) and node.name == "null":
        return None
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and type(node.node.value) in (int, float):
        return -node.node.value
    return MISSING


def unknown(what: str, name: str, known: Mapping[str, object], position: int, hint: str = "") -> Refusal:
    """The refusal of a filter or test that does not exist."""
    suggestion = None if hint else closest(name, known)
    return Refusal(
        f"there is no {what} {named(name)}", code=Code.SYNTAX, suggestion=suggestion, position=position, hint=hint
    )
