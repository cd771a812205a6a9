"""The acceptance fixtures, for tests that break things."""

from tests.acceptance.conftest import product, receiver, web, workers

__all__ = ["product", "receiver", "web", "workers"]
