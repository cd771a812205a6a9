"""Rhythms: what a schedule's config says about its times, as a search for the first slot after an instant."""

from automation.triggers.rhythms.bounds import bound_problems, contradictions
from automation.triggers.rhythms.choose import RHYTHMS, next_slot_of, plain_slot_of, rhythm_problems, words_of
from automation.triggers.rhythms.closeness import too_close
from automation.triggers.rhythms.days_off import day_problems

__all__ = [
    "RHYTHMS",
    "bound_problems",
    "contradictions",
    "day_problems",
    "next_slot_of",
    "plain_slot_of",
    "rhythm_problems",
    "too_close",
    "words_of",
]
