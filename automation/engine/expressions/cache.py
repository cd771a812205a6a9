"""The cache of compiled templates: bounded by their number and by their size, cheap to read from any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

MOST_TEMPLATES = 4096
MOST_CHARACTERS = 400_000  # of source text; a compiled character weighs 40 to 500 bytes

T = TypeVar("T")


class TemplateCache(Generic[T]):
    """Two generations: what is used stays in the young one, a full young one becomes the old one.

    Close to least-recently-used at the price of one dictionary lookup, and needs no lock: two threads that
    meet in here may at worst compile the same template twice.
    """

    def __init__(
        self, make: Callable[[str], T], *, most: int = MOST_TEMPLATES, characters: int = MOST_CHARACTERS
    ) -> None:
        self._make = make
        self._most = most // 2
        self._most_characters = characters // 2
        self._young: dict[str, T] = {}
        self._old: dict[str, T] = {}
        self._characters = 0

    def get(self, source: str) -> T:
        """The template of `source`. Errors are not kept."""
        found = self._young.get(source)
        if found is not None:
            return found
        made = self._old.get(source) or self._make(source)
        if len(source) <= self._most_characters:
            self._keep(source, made)
        return made

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def _keep(self, source: str, made: T) -> None:
        if len(self._young) >= self._most or self._characters + len(source) > self._most_characters:
            self._old, self._young, self._characters = self._young, {}, 0
        self._young[source] = made
        self._characters += len(source)
