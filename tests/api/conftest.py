"""People of the API, for tests that walk over all of its routes."""

from automation.tests.api.conftest import _nothing_remembered, home, member, owner, stranger

__all__ = ["_nothing_remembered", "home", "member", "owner", "stranger"]
