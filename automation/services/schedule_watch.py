"""The watch over schedules: tell when one should have run and has not, once, and once when it runs again.

Three things are watched. Whoever fires a slot too late says so itself, so a pause of the whole installation is told as
soon as it is over. Whoever has the turn looks once a minute for slots that nobody fired, and for workflows of which no
run succeeded in time. An alarm stands until then, so nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from automation.engine.durations import duration_text
from automation.models.firing import FiringDecision
from automation.models.schedule_alarm import AlarmKind
from automation.services.slot_verdicts import Verdict
from automation.store import schedule_alarms as store
from automation.store.firings import Decided, Due
from automation.store.schedule_alarms import Alarm, Looked
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Clock

MOST = 1_000  # schedules of one look
BAD = frozenset(
    {
        FiringDecision.MISSED,
        FiringDecision.REFUSED,
        FiringDecision.FULL,
        FiringDecision.OVER_QUOTA,
        FiringDecision.OVERFLOW,
    }
)
STOPPED = "It cannot go on: "


def look() -> int:
    """Look at all schedules; return how many are late. Whoever calls has the turn; two at once do no harm."""
    with transaction.atomic(), connection.cursor() as cursor:
        store.forget_idle(cursor)
        late = [alarm for one in store.overdue(cursor, most=MOST) if (alarm := _overdue(one))]
        store.raise_alarms(cursor, late)
    return len(late) + _look_for_success()


def note(cursor: object, due: Sequence[Due], verdicts: Sequence[Verdict], left_out: Iterable[Decided]) -> None:
    """After firing: raise the alarm of slots that came late or keep coming to nothing, end those of slots that ran.

    In the transaction that fires. `left_out` are the decisions that replace those of the verdicts.
    """
    replaced = {(row.trigger_id, row.slot): row for row in left_out}
    newest = {v.advance.trigger_id: _newest(v, replaced) for v in verdicts}
    stopped = {v.advance.trigger_id for v in verdicts if v.advance.next_fire_at is None and _is_refused(v)}
    bad = [row for row in newest.values() if row.decision in BAD and row.trigger_id not in stopped]
    vain = store.in_vain(cursor, bad)
    alarms = [Alarm(id_, AlarmKind.SLOTS, newest[id_].slot, STOPPED + newest[id_].reason) for id_ in stopped]
    alarms += [alarm for one in due if (alarm := _late(one))]
    alarms += [_in_vain(row) for row in bad if row.trigger_id in vain]
    store.raise_alarms(cursor, list({alarm.trigger_id: alarm for alarm in reversed(alarms)}.values()))
    ran = [row.trigger_id for row in newest.values() if row.decision == FiringDecision.RAN]
    store.end_alarms(cursor, ran, kind=AlarmKind.SLOTS)


def standing(*, most: int = MOST) -> Iterator[str]:
    """What stands, as lines for people."""
    with connection.cursor() as cursor:
        for trigger_id, name, workflow, _kind, since, reason in store.standing(cursor, most=most):
            yield f"{since:%Y-%m-%d %H:%M:%S} {name or trigger_id} of {workflow}: {reason}"


def _look_for_success() -> int:
    after, late = UUID(int=0), 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            found = store.expected(cursor, after=after, most=MOST)
            alarms = {one.trigger_id: alarm for one in found if (alarm := _without_success(one))}
            store.raise_alarms(cursor, list(alarms.values()))
            well = [one.trigger_id for one in found if one.has_alarm and one.trigger_id not in alarms]
            store.end_alarms(cursor, well, kind=AlarmKind.SUCCESS)
        late += len(alarms)
        if len(found) < MOST:
            return late
        after = found[-1].trigger_id


def _late(due: Due) -> Alarm | None:
    if not due.may_run:
        return None
    return _behind(due.trigger_id, _clock_of(due.kind), due.config, due.next_fire_at, due.now)


def _overdue(one: Looked) -> Alarm | None:
    return _behind(one.trigger_id, _clock_of(one.kind), one.config, one.at, one.now)


def _behind(
    trigger_id: UUID, clock: Clock | None, config: Mapping[str, object], at: datetime, now: datetime
) -> Alarm | None:
    """The alarm of a slot that fires, or should, more than its grace after its time."""
    after = clock.alert_after(config) if clock else None
    if after is None or (now - at).total_seconds() <= after:
        return None
    said = f"Nothing started it within {duration_text(after)}: no worker was there, or none came to it."
    return Alarm(trigger_id, AlarmKind.SLOTS, at, said)


def _without_success(one: Looked) -> Alarm | None:
    clock = _clock_of(one.kind)
    within = clock.success_within(one.config) if clock else None
    if within is None or (one.now - one.at).total_seconds() <= within:
        return None
    said = f"No run of the workflow succeeded within {duration_text(within)}."
    return Alarm(one.trigger_id, AlarmKind.SUCCESS, one.at, said)


def _in_vain(newest: Decided) -> Alarm:
    word = FiringDecision(newest.decision).label
    said = f"Its last {store.IN_A_ROW} slots did not run. The newest: {word}. {newest.reason}".strip()
    return Alarm(newest.trigger_id, AlarmKind.SLOTS, newest.slot, said)


def _newest(verdict: Verdict, replaced: Mapping[tuple[UUID, datetime], Decided]) -> Decided:
    """What became of the newest slot that was to run; of the newest at all when none was."""
    found = [replaced.get((row.trigger_id, row.slot), row) for row in verdict.decided]
    ran = [row for row in found if row.decision == FiringDecision.RAN]
    return max(ran or found, key=lambda row: row.slot)


def _is_refused(verdict: Verdict) -> bool:
    return verdict.decided[-1].decision == FiringDecision.REFUSED


def _clock_of(kind: str) -> Clock | None:
    found = all_trigger_kinds().get(kind)
    return found.clock if found else None
