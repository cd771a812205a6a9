"""Recurrence: a rule that has found its anchor, and so its time of day and what its periods are counted from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.triggers.rrule.rule import Frequency, Rule, parse_rrule
from automation.triggers.wall_clock import first_instant, read_instant, start_of_day

LEAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What a rule means from its anchor on, on a wall clock.

    RFC 5545, 3.3.10: what the rule leaves open is the anchor's. `start` is the anchor on the wall clock, to the minute.
    `month_days` and `days` are both empty where every day counts. `minutes` are those of the hour.
    """

    rule: Rule
    start: datetime
    months: frozenset[int]
    month_days: frozenset[int]
    days: frozenset[tuple[int, int]]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]

    @property
    def is_by_the_hand(self) -> bool:
        """True when its times mean the wall clock: it has days, and not a stream of hours or minutes."""
        return self.rule.frequency <= Frequency.DAILY


@lru_cache(maxsize=4096)
def read_rrule(text: str, anchor: str, zone: ZoneInfo) -> Recurrence:
    """Read a checked rule. Raises RRuleError, and ValueError for an anchor that is no time."""
    rule = parse_rrule(text)
    local = read_instant(anchor, zone).astimezone(zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
    months, month_days, days = _dates(rule, local)
    return Recurrence(
        rule=rule,
        start=local,
        months=frozenset(months),
        month_days=frozenset(month_days),
        days=days,
        hours=rule.hours or ((local.hour,) if rule.frequency < Frequency.HOURLY else tuple(range(24))),
        minutes=rule.minutes or ((local.minute,) if rule.frequency < Frequency.MINUTELY else tuple(range(60))),
    )


def _dates(rule: Rule, local: datetime) -> tuple[tuple[int, ...], tuple[int, ...], frozenset[tuple[int, int]]]:
    """Months, days of the month and days of the week, those of the anchor where none is named."""
    if rule.month_days or rule.days:
        return rule.months, rule.month_days, rule.days
    match rule.frequency:
        case Frequency.YEARLY:
            return rule.months or (local.month,), (local.day,), rule.days
        case Frequency.MONTHLY:
            return rule.months, (local.day,), rule.days
        case Frequency.WEEKLY:
            return rule.months, (), frozenset({(0, local.weekday())})
    return rule.months, (), rule.days


def last_instant(until: date | datetime, zone: ZoneInfo) -> datetime:
    """The last instant at which a slot may be; the whole of a day that is named without a time."""
    if not isinstance(until, datetime):
        return start_of_day(until + timedelta(days=1), zone) - LEAST
    return until.astimezone(UTC) if until.tzinfo else first_instant(until, zone)
