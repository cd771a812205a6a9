"""Counters with a ceiling in Redis, which start from a number that the caller knows: used up to here, at most that."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from brainops.core.ratelimit.redis_server import RedisServer, Script, server

# KEYS: the counter. ARGV: how much, the ceiling, its life in milliseconds, where it starts ('' = not known).
# Counting does not prolong the life: the counter is made anew from what is true then.
COUNT = Script("""
local used = tonumber(redis.call('GET', KEYS[1]))
if not used then
  if ARGV[4] == '' then return {-1, 0} end
  used = tonumber(ARGV[4])
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
end
if used + ARGV[1] > tonumber(ARGV[2]) and tonumber(ARGV[1]) > 0 then return {0, used} end
return {1, redis.call('INCRBY', KEYS[1], ARGV[1])}
""")


class Count(NamedTuple):
    """What came of counting: `is_known` is False when there is no counter and none could be made."""

    is_within: bool
    used: int
    is_known: bool = True


def count(
    name: str, amount: int, *, most: int, seconds: float, start: int | None = None, redis: RedisServer = server
) -> Count | None:
    """Add to the counter `name` unless that would be more than `most`; None when Redis is away.

    `start` makes a counter that is not there; it lives for `seconds`.
    """
    key = f"{settings.BRAINOPS_REDIS_PREFIX}:count:{name}"
    answer = redis.run(COUNT, [key], [amount, most, round(seconds * 1000), "" if start is None else start])
    if answer is None:
        return None
    return Count(answer[0] == 1, answer[1], is_known=answer[0] >= 0)
