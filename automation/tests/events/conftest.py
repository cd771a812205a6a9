"""People who call, and the memory of versions without what other tests left there."""

import pytest

from automation.services import runnable
from automation.tests.api.conftest import home, member, owner, stranger

__all__ = ["fresh_memory", "home", "member", "owner", "stranger"]


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()
