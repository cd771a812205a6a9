"""Times of runs as places in the list: newest first is by id, so an instant becomes a range of ids."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from automation.store.run_bounds import SLACK_SECONDS, first_id_at

_SLACK = timedelta(seconds=SLACK_SECONDS)


def created_between(since: datetime | None, until: datetime | None) -> Q:
    """Runs made at `since` or later and before `until`. The ids only say where to look; the times decide."""
    wanted = Q()
    if since is not None:
        wanted &= Q(created_at__gte=since, id__gte=_first_id(since, -_SLACK))
    if until is not None:
        wanted &= Q(created_at__lt=until, id__lt=_first_id(until, _SLACK))
    return wanted


def _first_id(at: datetime, slack: timedelta) -> int:
    try:
        shifted = at + slack
    except OverflowError:  # the first or last minutes of the calendar
        shifted = at
    with connection.cursor() as cursor:
        return first_id_at(cursor, shifted)
