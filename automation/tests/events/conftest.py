"""The memory of versions without what other tests left there."""

import pytest

from automation.services import runnable


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()
