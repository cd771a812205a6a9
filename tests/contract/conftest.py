"""The people and things of tests/security, for the requests of this folder."""

from tests.security.conftest import _nothing_remembered, home, owner, things, viewer

__all__ = ["_nothing_remembered", "home", "owner", "things", "viewer"]
