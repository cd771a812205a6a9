"""A pool of its own for each test, and requests with small limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from automation.sandbox.pool import Answer, Pool, Request

SMALL = Request("", {}, seconds=1.0, memory_bytes=32 << 20, output_bytes=1 << 16, log_bytes=1000, depth=64)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


@pytest.fixture
def run(pool: Pool) -> Callable[..., Answer]:
    """Run code on small limits; `limits` replaces some of them."""

    def run(code: str, inputs: Any = None, *, seconds: float = 20, **limits: Any) -> Answer:
        request = replace(SMALL, code=code, inputs=inputs or {}, **limits)
        return pool.run(request, seconds=seconds, is_cancelled=lambda: False)

    return run
