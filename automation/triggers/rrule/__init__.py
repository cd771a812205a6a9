"""Recurrence rules (RFC 5545): calendars such as "the last Friday of each month", on the wall clock of a time zone."""

from automation.triggers.rrule.errors import RRuleError
from automation.triggers.rrule.recurrence import Recurrence, read_rrule
from automation.triggers.rrule.rule import Frequency, Rule, parse_rrule
from automation.triggers.rrule.slots import next_occurrence
from automation.triggers.rrule.words import rrule_words

__all__ = [
    "Frequency",
    "RRuleError",
    "Recurrence",
    "Rule",
    "next_occurrence",
    "parse_rrule",
    "read_rrule",
    "rrule_words",
]
