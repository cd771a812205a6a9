"""Cron expressions: five fields or an alias, on the wall clock of an IANA time zone."""

from automation.triggers.cron.errors import CronError
from automation.triggers.cron.expression import Cron, parse_cron
from automation.triggers.cron.slots import next_slot
from automation.triggers.cron.words import in_words

__all__ = ["Cron", "CronError", "in_words", "next_slot", "parse_cron"]
