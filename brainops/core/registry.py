"""Providers by name: how a lower room asks a question that only a higher one can answer.

A room below declares `used_by: Registry[UsedBy] = Registry("used_by")`; a room above registers its function when its
app is ready. Imports stay one-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Named providers of one kind, in the order of registration."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._providers: dict[str, T] = {}

    def register(self, name: str, provider: T) -> T:
        """Add a provider. The same one again is fine (an app's ready() may run twice); another one is refused."""
        known = self._providers.setdefault(name, provider)
        if known != provider:  # two looks at one bound method are equal, not the same
            raise ValueError(f"{self.noun} provider {name!r} is registered already, as {known!r}.")
        return provider

    def get(self, name: str) -> T:
        """The provider of a name. Raises LookupError that lists the known names."""
        try:
            return self._providers[name]
        except KeyError:
            known = ", ".join(sorted(self._providers)) or "none"
            raise LookupError(f"There is no {self.noun} provider {name!r}. Known: {known}.") from None

    def find(self, name: str) -> T | None:
        """The provider of a name, or None."""
        return self._providers.get(name)

    def values(self) -> Iterator[T]:
        """All providers."""
        return iter(tuple(self._providers.values()))

    def items(self) -> Iterator[tuple[str, T]]:
        """All providers with their names."""
        return iter(tuple(self._providers.items()))

    def __contains__(self, name: object) -> bool:
        return name in self._providers

    def __len__(self) -> int:
        return len(self._providers)
