"""Buckets of the generic cell rate algorithm (ITU-T I.371), and what was decided about a request."""

from __future__ import annotations

from typing import NamedTuple


class Bucket(NamedTuple):
    """`burst` requests at once, then `per_second` of them.

    `name` is the policy that callers are told of. `owner` is whose bucket it is, the workspace first wherever there is
    one, so that tenants never share a bucket; texts from outside come hashed.
    """

    name: str
    owner: str
    per_second: float
    burst: int

    @property
    def key(self) -> str:
        """What tells it from every other bucket."""
        return f"{self.name}:{self.owner}"

    @property
    def window_seconds(self) -> float:
        """How long an empty bucket takes until the whole burst is there again."""
        return self.burst / self.per_second


class Standing(NamedTuple):
    """How a bucket stands after a decision: what is left, and the seconds until it is full again."""

    bucket: Bucket
    remaining: int
    full_in_seconds: float


class Verdict(NamedTuple):
    """What was decided: `refused` is the bucket that was empty, `wait_seconds` how long it stays so."""

    standings: tuple[Standing, ...] = ()
    refused: Bucket | None = None
    wait_seconds: float = 0.0


class Grant(NamedTuple):
    """What the buckets in Redis gave: tokens, what is left and the seconds until full, in the order of the asking.

    With `refused` (a position) nothing was taken from any bucket.
    """

    tokens: tuple[int, ...]
    remaining: tuple[int, ...]
    full_in_seconds: tuple[float, ...]
    refused: int | None = None
    wait_seconds: float = 0.0
