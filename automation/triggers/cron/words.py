"""Say a cron expression in words."""

from __future__ import annotations

import re
from functools import lru_cache

from cronsim.cronsim import CronSimError
from cronsim.explain import Expression

from automation.triggers.cron.expression import Cron

_MINUTES = re.compile(r"\*/(?P<minutes>[2-9]|[12345]\d) \* \* \* \*")


@lru_cache(maxsize=1024)
def in_words(cron: Cron) -> str:
    """`At 09:00 on Monday through Friday`; the expression itself where no words are known for it."""
    if interval := _MINUTES.fullmatch(" ".join(cron.fields)):
        return f"Every {interval['minutes']} minutes"
    try:
        return str(Expression(["0", *(field.upper() for field in cron.fields)]).explain())
    except (CronSimError, ValueError, IndexError):
        return cron.text
