"""Secrets that do not stand in encrypted fields of ours: rooms register how theirs are written anew."""

from __future__ import annotations

from collections.abc import Callable

from brainops.core.registry import Registry

# Functions without arguments that write stored secrets anew under the first key and return how many; may run twice.
rewriters: Registry[Callable[[], int]] = Registry("rewriter")
