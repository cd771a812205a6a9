"""Named points of the engine's life, where the crash tests pull the plug. Without a hook they do nothing."""

from __future__ import annotations

from collections.abc import Callable

hook: Callable[[str], None] | None = None  # set by tests only


def reach(name: str) -> None:
    """Say that this point was reached."""
    if hook is not None:
        hook(name)
