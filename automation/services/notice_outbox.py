"""The outbox: notices become deliveries, in the transaction that decided them.

Beyond its rule's `max_per_hour`, or beyond what one person is asked in an hour, a notice goes into a digest that is
sent when the hour is over. Quiet hours hold deliveries back to their end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from automation.engine.notices import DIGEST, LIFETIME_SECONDS, quiet_ends_at
from automation.models import DeliveryState, NoticeChannel, NoticeDelivery, NoticeRule
from automation.services import notice_content
from automation.services.notice_people import Receiver, receivers

HOUR = timedelta(hours=1)
MOST_ASKED_PER_HOUR = 20  # mails to one person about approvals of one workspace

Json = Any


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told. Without a rule it is for `asked`: the assignees of an approval."""

    rule: NoticeRule | None
    workspace_id: UUID
    workflow_id: UUID | None
    content: dict[str, Json]
    asked: tuple[str, ...] = ()
    is_test: bool = False

    @property
    def event(self) -> str:
        """The word for it."""
        return str(self.content["event"])


class Outbox:
    """Collects the deliveries of one transaction; `now` is one instant for all of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._new: list[NoticeDelivery] = []
        self._digests: dict[tuple[UUID | None, UUID | None, UUID], list[NoticeDelivery]] = {}
        self._counted: dict[UUID, NoticeRule] = {}
        self._asked: dict[UUID, Counter[UUID]] = {}

    def put(self, notice: Notice) -> None:
        """Add a notice."""
        if notice.rule is None:
            self._ask(notice)
        elif notice.is_test or self._has_room(notice.rule):
            self._new += self._deliveries(notice, uuid4())
        else:
            self._gather(notice, None)

    def write(self) -> list[NoticeDelivery]:
        """Store everything; return the new deliveries."""
        for rows in self._digests.values():
            known = [row for row in rows if not row._state.adding]
            NoticeDelivery.objects.bulk_update(known, ["content"])
            self._new += [row for row in rows if row._state.adding]
        NoticeRule.objects.bulk_update(list(self._counted.values()), ["hour_began_at", "hour_count"])
        return NoticeDelivery.objects.bulk_create(self._new)

    def _has_room(self, rule: NoticeRule) -> bool:
        """Count a notice of the rule into its hour; False when the hour is full."""
        rule = self._counted.setdefault(rule.id, rule)
        if rule.hour_began_at is None or self._now - rule.hour_began_at >= HOUR:
            rule.hour_began_at, rule.hour_count = self._now, 0
        if rule.hour_count >= rule.max_per_hour:
            return False
        rule.hour_count += 1
        return True

    def _ask(self, notice: Notice) -> None:
        """Mail those whom an approval asks; somebody who was asked a lot within the hour gets a digest."""
        people = receivers(notice.workspace_id, notice.asked, rule_id=None, workflow_id=notice.workflow_id)
        sent = self._asked.setdefault(notice.workspace_id, self._asked_lately(notice.workspace_id, people))
        number = uuid4()
        for one in people:
            if one.user_id is None:
                continue
            if sent[one.user_id] >= MOST_ASKED_PER_HOUR:
                self._gather(notice, one)
                continue
            sent[one.user_id] += 1
            self._new.append(self._delivery(notice, number, one))

    def _asked_lately(self, workspace_id: UUID, people: Iterable[Receiver]) -> Counter[UUID]:
        """How many mails about approvals each of the workspace's people got within the hour."""
        rows = NoticeDelivery.objects.filter(
            workspace_id=workspace_id, rule=None, user__isnull=False, created_at__gt=self._now - HOUR
        )
        return Counter(rows.exclude(event=DIGEST).values_list("user_id", flat=True))

    def _gather(self, notice: Notice, person: Receiver | None) -> None:
        """Put a notice into the digest of its rule, or of one person."""
        key = (notice.rule.id if notice.rule else None, person.user_id if person else None, notice.workspace_id)
        if key not in self._digests:
            self._digests[key] = list(_waiting_digests(*key))
        rows = self._digests[key]
        content = notice_content.digest(rows[0].content if rows else None, notice.content)
        if rows:
            for row in rows:
                row.content = content
            return
        whole = Notice(notice.rule, notice.workspace_id, None, content, notice.asked)
        number = uuid4()
        made = [self._delivery(whole, number, person)] if person else self._deliveries(whole, number)
        began_at = notice.rule.hour_began_at if notice.rule else None
        for row in made:
            row.next_at = max(row.next_at, (began_at or self._now) + HOUR)
            row.ends_at = row.next_at + timedelta(seconds=LIFETIME_SECONDS)
        self._digests[key] = made

    def _deliveries(self, notice: Notice, number: UUID) -> list[NoticeDelivery]:
        """One delivery for each receiver of a rule's notice."""
        rule = notice.rule
        if rule is None or rule.channel != NoticeChannel.EMAIL:
            return [self._delivery(notice, number, None)]
        people = receivers(rule.workspace_id, rule.recipients, rule_id=rule.id, workflow_id=notice.workflow_id)
        if people:
            return [self._delivery(notice, number, one) for one in people]
        nobody = self._delivery(notice, number, None)
        nobody.state = DeliveryState.DROPPED
        nobody.last_error = "None of the recipients is somebody who gets mail: they left, or want none."
        return [nobody]

    def _delivery(self, notice: Notice, number: UUID, person: Receiver | None) -> NoticeDelivery:
        goes_at = self._now if notice.is_test else self._when(notice.rule)
        return NoticeDelivery(
            workspace_id=notice.workspace_id,
            rule_id=notice.rule.id if notice.rule else None,
            notice=number,
            event=notice.event,
            channel=notice.rule.channel if notice.rule else NoticeChannel.EMAIL,
            address=person.address if person else "",
            user_id=person.user_id if person else None,
            workflow_id=notice.workflow_id,
            content=notice.content,
            is_test=notice.is_test,
            next_at=goes_at,
            ends_at=goes_at + timedelta(seconds=LIFETIME_SECONDS),
        )

    def _when(self, rule: NoticeRule | None) -> datetime:
        """Now, or the end of the quiet hours."""
        if rule is None or rule.quiet_from is None or rule.quiet_until is None:
            return self._now
        local = self._now.astimezone(ZoneInfo(rule.timezone))
        return quiet_ends_at(local, rule.quiet_from, rule.quiet_until) or self._now


def _waiting_digests(rule_id: UUID | None, user_id: UUID | None, workspace_id: UUID) -> Iterable[NoticeDelivery]:
    """The digest that nobody has begun to send. Locked: the postman steps over it while it grows."""
    rows = NoticeDelivery.objects.select_for_update().filter(
        rule_id=rule_id, workspace_id=workspace_id, event=DIGEST, state=DeliveryState.PENDING, attempts=0
    )
    return rows.filter(user_id=user_id) if user_id else rows
