"""Parse a whole cron expression into what the search for slots needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from automation.engine.wording import did_you_mean, quoted
from automation.triggers.cron.errors import CronError
from automation.triggers.cron.fields import MONTH, RULES, FieldReader, FieldValues

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = "minute, hour, day of month, month, day of week"
LONGEST_MONTH = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression.

    `times` are minutes of the day in order. `needs_both_days`: Debian's rule that day of month and day of week
    must both match when one of them begins with a star, and that either is enough when none does.
    `is_by_the_hand`: minute and hour are written out, so a person means times of the wall clock; such a time
    happens once on every matching day, also when clocks change. Otherwise every real minute that matches counts.
    """

    text: str
    fields: tuple[str, ...]
    times: tuple[int, ...]
    months: frozenset[int]
    days: FieldValues
    weekdays: FieldValues
    needs_both_days: bool
    is_by_the_hand: bool


@lru_cache(maxsize=4096)
def parse_cron(text: str) -> Cron:
    """Parse five fields or an alias such as @daily. Raises CronError, which names position, field and value."""
    spelled = _spelled_out(text)
    if spelled != text:
        return _parsed(text, [(field, 0) for field in spelled.split()])
    return _parsed(text, [(match.group(), match.start()) for match in re.finditer(r"\S+", text)])


def _spelled_out(text: str) -> str:
    word = text.strip().lower()
    if not word.startswith("@"):
        return text
    if word in ALIASES:
        return ALIASES[word]
    if word == "@reboot":
        said = "@reboot has no time: a schedule fires by the clock, whichever process was started."
        raise CronError(text, text.index("@"), said)
    hint = did_you_mean(word, ALIASES) or f" Known: {', '.join(ALIASES)}."
    raise CronError(text, text.index("@"), f"no alias is called {quoted(text.strip())}.{hint}")


def _parsed(text: str, parts: list[tuple[str, int]]) -> Cron:
    if len(parts) != len(RULES):
        raise CronError(text, _end_of(parts), _wrong_count(len(parts)))
    minute, hour, day, month, weekday = (
        FieldReader(text, rule, position).read(part) for (part, position), rule in zip(parts, RULES, strict=True)
    )
    fields = tuple(part for part, _position in parts)
    needs_both = fields[2].startswith("*") or fields[4].startswith("*")
    if needs_both:
        _refuse_impossible_dates(text, parts[2][1], day, month)
    return Cron(
        text=text,
        fields=fields,
        times=tuple(sorted(hours * 60 + minutes for hours in hour.values for minutes in minute.values)),
        months=month.values,
        days=day,
        weekdays=FieldValues(frozenset(value % 7 for value in weekday.values), nth=weekday.nth),
        needs_both_days=needs_both,
        is_by_the_hand=not (fields[0].startswith("*") or fields[1].startswith("*")),
    )


def _end_of(parts: list[tuple[str, int]]) -> int:
    """Where the sixth field starts, or where a missing one would."""
    if len(parts) > len(RULES):
        return parts[len(RULES)][1]
    return parts[-1][1] + len(parts[-1][0]) if parts else 0


def _wrong_count(count: int) -> str:
    hint = " Seconds are not known: the shortest interval is one minute." if count == 6 else ""
    return f"five fields are needed ({FIELDS}), got {count}.{hint}"


def _refuse_impossible_dates(text: str, position: int, day: FieldValues, month: FieldValues) -> None:
    """Refuse dates like 31 February, which would never fire."""
    if day.has_last_day or day.has_last_weekday:
        return
    longest = max(LONGEST_MONTH[number] for number in month.values)
    if min(day.values) > longest:
        names = " or ".join(MONTH.names[number - 1].title() for number in sorted(month.values))
        raise CronError(text, position, f"day of month {min(day.values)} never comes in {names}.")
