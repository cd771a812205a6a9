"""Rhythms: what a schedule's config says about its times, as a search for the first slot after an instant."""

from automation.triggers.rhythms.choose import RHYTHMS, next_slot_of, rhythm_problems, words_of
from automation.triggers.rhythms.days_off import day_problems

__all__ = ["RHYTHMS", "day_problems", "next_slot_of", "rhythm_problems", "words_of"]
