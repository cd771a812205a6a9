"""What is done with notice rules: test them, mute them, send a delivery again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from automation.engine.notices import LIFETIME_SECONDS
from automation.models import DeliveryState, NoticeDelivery, NoticeMute, NoticeRule, Workflow
from automation.services import notice_content, notice_sending, notices
from automation.services.notice_outbox import Notice, Outbox
from automation.store import notices as store
from automation.store.notices import LEASE_SECONDS
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem

MOST_TESTED = 5  # receivers of one test: somebody waits for the answer
KEPT = timedelta(days=30)  # deliveries that are over
MOST_FORGOTTEN = 5_000  # of one minute
LONGEST_MUTE = timedelta(days=366)


def test(caller: Caller, rule_id: UUID | str) -> list[NoticeDelivery]:
    """Send a notice that is marked as a test, now, and return what became of it for each receiver.

    Neither mutes nor quiet hours nor the hour's number hold it back, and it is tried once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        rule = notices.locked(caller, rule_id)
        now = store.now(cursor)
        outbox = Outbox(now)
        outbox.put(Notice(rule, rule.workspace_id, None, notice_content.test_of(rule), is_test=True))
        made = outbox.write()
        for delivery in made[MOST_TESTED:]:
            delivery.delete()
        claimed = [delivery.id for delivery in made[:MOST_TESTED]]
        NoticeDelivery.objects.filter(id__in=claimed, state=DeliveryState.PENDING).update(
            attempts=1, next_at=now + timedelta(seconds=LEASE_SECONDS), ends_at=now
        )
        notices.audit(caller, rule, "test", f"Tested the notice rule {rule.name!r}.")
    waiting = NoticeDelivery.objects.filter(id__in=claimed, state=DeliveryState.PENDING)
    for id_ in waiting.values_list("id", flat=True):
        notice_sending.send(id_)
    return list(NoticeDelivery.objects.filter(id__in=claimed).order_by("address", "id"))


def deliveries(caller: Caller, rule_id: UUID | str) -> QuerySet[NoticeDelivery]:
    """What a rule sent and has to send. Raises NotFound."""
    return NoticeDelivery.objects.filter(rule=notices.get(caller, rule_id))


def redeliver(caller: Caller, rule_id: UUID | str, delivery_id: UUID | str) -> NoticeDelivery:
    """Send a delivery again, under the same id. Raises NotFound, Conflict while it is still under way."""
    caller.require(Permission.NOTICES_WRITE)
    with transaction.atomic(), connection.cursor() as cursor:
        rule = notices.get(caller, rule_id)
        rows = NoticeDelivery.objects.filter(rule=rule).select_for_update()
        delivery = get_scoped(rows, caller, delivery_id)
        if delivery.state == DeliveryState.PENDING:
            raise Conflict("It has not been sent yet and is tried again by itself.", code="delivery_pending")
        now = store.now(cursor)
        delivery.state, delivery.attempts, delivery.next_at = DeliveryState.PENDING, 0, now
        delivery.ends_at, delivery.sent_at = now + timedelta(seconds=LIFETIME_SECONDS), None
        delivery.save(update_fields=["state", "attempts", "next_at", "ends_at", "sent_at"])
        notices.audit(caller, rule, "redeliver", f"Sends the notice {delivery.id} again.")
    return delivery


def mute(
    caller: Caller, rule_id: UUID | str, *, until: datetime | None, workflow_id: UUID | str | None = None
) -> NoticeRule:
    """Silence a rule, or a rule about one workflow, until an instant; None lets it speak again.

    Raises NotFound, InvalidInput for an instant that has passed, is too far away, or a workflow that is not here.
    """
    with transaction.atomic():
        rule = notices.locked(caller, rule_id)
        workflow = _workflow(caller, workflow_id) if workflow_id else None
        rows = NoticeMute.objects.filter(workspace_id=rule.workspace_id, rule=rule, workflow=workflow, user=None)
        what = f"the notice rule {rule.name!r}" + (f" about {workflow.name!r}" if workflow else "")
        rows.delete()
        if until is None:
            notices.audit(caller, rule, "unmute", f"Let {what} speak again.")
        else:
            _check(until)
            NoticeMute.objects.create(workspace_id=rule.workspace_id, rule=rule, workflow=workflow, until=until)
            notices.audit(caller, rule, "mute", f"Muted {what} until {until:%Y-%m-%d %H:%M} UTC.")
    return notices.get(caller, rule.id)


def forget_old() -> int:
    """Delete deliveries that are over and older than 30 days, and mutes that have ended; return how many."""
    now = clock.now()
    old = NoticeDelivery.objects.filter(created_at__lt=now - KEPT).exclude(state=DeliveryState.PENDING)
    ids = list(old.order_by("created_at").values_list("id", flat=True)[:MOST_FORGOTTEN])
    gone, _ = NoticeDelivery.objects.filter(id__in=ids).delete()
    over, _ = NoticeMute.objects.filter(until__lt=now).delete()
    return gone + over


def _check(until: datetime) -> None:
    now = clock.now()
    if not now < until <= now + LONGEST_MUTE:
        message = f"until must lie ahead, at most {LONGEST_MUTE.days} days; it is {until.isoformat()}."
        raise InvalidInput.from_problems([Problem("out_of_range", message, "/until")])


def _workflow(caller: Caller, workflow_id: UUID | str) -> Workflow:
    try:
        return get_scoped(Workflow.objects.only("id", "name"), caller, workflow_id)
    except NotFound as error:
        message = f"There is no workflow {str(workflow_id)[:60]!r} in this workspace."
        raise InvalidInput.from_problems([Problem("not_found", message, "/workflow_id")]) from error
