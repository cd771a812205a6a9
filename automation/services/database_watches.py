"""Watches of the kind `database` whose trigger is gone, or off, without its kind being told: with its workspace."""

from __future__ import annotations

from automation.models import Trigger
from brainops.core import changes

MOST = 100  # of one sweep


def end_orphans() -> int:
    """End them; returns how many. Who made a watch a moment ago has not committed its trigger apart from it."""
    ids = changes.watched_by()
    known = set(Trigger.objects.filter(id__in=ids, kind="database", is_active=True).values_list("id", flat=True))
    gone = [id_ for id_ in ids if id_ not in known][:MOST]
    for id_ in gone:
        changes.unwatch(id_)
    return len(gone)
