"""Syntax trees become closures once; running them touches no tree and no attribute of any value."""

from __future__ import annotations

from automation.engine.expressions.compiler import arithmetic, calls, containers, logic, paths
from automation.engine.expressions.compiler.base import Compiler, Handlers

_HANDLERS: Handlers = {
    **arithmetic.HANDLERS,
    **calls.HANDLERS,
    **containers.HANDLERS,
    **logic.HANDLERS,
    **paths.HANDLERS,
}
_LENIENT_HANDLERS: Handlers = {**paths.LENIENT_HANDLERS, **calls.LENIENT_HANDLERS}


def new_compiler() -> Compiler:
    """A compiler for one template."""
    return Compiler(_HANDLERS, _LENIENT_HANDLERS)
