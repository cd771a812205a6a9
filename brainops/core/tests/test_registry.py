"""Providers by name, and the sweeps that stand on them."""

import pytest

from brainops.core import housekeeping
from brainops.core.registry import Registry


def test_providers_come_back_by_name_and_in_order():
    registry: Registry[int] = Registry("number")
    registry.register("one", 1)
    registry.register("two", 2)

    assert (registry.get("one"), registry.find("three"), list(registry.items()), len(registry), "two" in registry) == (
        1,
        None,
        [("one", 1), ("two", 2)],
        2,
        True,
    )


def test_the_same_provider_may_register_twice_and_another_may_not():
    registry: Registry[object] = Registry("thing")
    first = object()
    registry.register("a", first)
    registry.register("a", first)

    with pytest.raises(ValueError, match="thing provider 'a' is registered already"):
        registry.register("a", object())


def test_an_unknown_name_is_answered_with_the_known_ones():
    registry: Registry[int] = Registry("number")
    registry.register("two", 2)
    registry.register("one", 1)

    with pytest.raises(LookupError, match=r"There is no number provider 'three'\. Known: one, two\."):
        registry.get("three")


def test_a_sweep_that_fails_does_not_stop_the_others(monkeypatch):
    sweeps: Registry = Registry("sweep")
    sweeps.register("broken", lambda: 1 // 0)
    sweeps.register("good", lambda: 3)
    monkeypatch.setattr(housekeeping, "sweeps", sweeps)

    assert housekeeping.sweep() == 3
