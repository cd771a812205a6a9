"""Decide what is told about what happened: each end of a run, each turn of an approval, exactly once.

What happened stands in a table that triggers of the database fill. One decider at a time takes it away, moves the
states of the rules and fills the outbox, all in one transaction: killed anywhere in it, nothing happened and the next
tick does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import Prefetch, Q

from automation.engine.notices import (
    ABOUT_APPROVALS,
    ABOUT_SCHEDULES,
    APPROVAL_EXPIRED,
    End,
    Said,
    Standing,
    Wishes,
    follow,
)
from automation.engine.points import reach
from automation.engine.status import RunStatus
from automation.models import (
    Approval,
    ApprovalState,
    NoticeChannel,
    NoticeMute,
    NoticeRule,
    NoticeScope,
    NoticeState,
    Workflow,
)
from automation.services import notice_content
from automation.services.notice_outbox import Notice, Outbox
from automation.store import notices as store
from automation.store.notices import Cause, Watched
from brainops.core import clock, mail

BATCH = 500  # of one transaction
MOST_BATCHES = 10  # of one tick
REMINDERS = 100  # of one tick
STATE_FIELDS = ("is_failing", "failing_since", "failures", "unsaid", "said_at", "slow_unsaid", "slow_said_at")

log = structlog.get_logger(__name__)


def decide_due() -> int:
    """Decide about what happened since the last look; return how many things that were."""
    decided = 0
    for _ in range(MOST_BATCHES):
        count = _decide_batch()
        decided += count
        if count < BATCH:
            break
    return decided


def remind_due() -> int:
    """Note which approvals are about to expire; the next decision tells those they ask."""
    with connection.cursor() as cursor:
        return store.remind(cursor, limit=REMINDERS)


def _decide_batch() -> int:
    try:
        return _decide(BATCH)
    except DatabaseError:
        raise  # the transaction is lost; the next tick tries again
    except Exception:
        log.exception("notices_not_decided")
    decided = 0
    while decided < BATCH and _decide_alone():  # one of them cannot be told: the others are
        decided += 1
    return decided


def _decide_alone() -> int:
    """Decide about the oldest thing only; one that cannot be told is dropped, or it would hold up all others."""
    try:
        return _decide(1)
    except DatabaseError:
        raise
    except Exception:
        log.exception("notice_dropped")
    with transaction.atomic(), connection.cursor() as cursor:
        causes = store.take(cursor, limit=1)
        store.forget(cursor, [cause.id for cause in causes])
        return len(causes)


def _decide(limit: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        causes = store.take(cursor, limit=limit)
        if causes:
            _Decision(cursor, causes).make()
            store.forget(cursor, [cause.id for cause in causes])
            reach("in_notice_decision")
    return len(causes)


class _Decision:
    """One batch: what it is about is read once, then each cause meets each rule."""

    def __init__(self, cursor: Any, causes: Sequence[Cause]) -> None:
        self._cursor = cursor
        self._causes = causes
        self._outbox = Outbox(store.now(cursor))
        self._workflows = store.watched(cursor, {cause.workflow_id for cause in causes})
        self._rules = _rules({cause.workspace_id for cause in causes})
        self._muted = _muted({cause.workspace_id for cause in causes})
        self._states = _states(self._workflows, self._rules)
        self._moved: dict[tuple[UUID, UUID], NoticeState] = {}
        is_started = any(rule.channel == NoticeChannel.WORKFLOW for rules in self._rules.values() for rule in rules)
        runs = [one.run_id for one in causes if one.run_id is not None]
        self._below = store.below_notices(cursor, runs) if is_started else set()

    def make(self) -> None:
        """Decide, and store what follows."""
        told: list[tuple[Cause, NoticeRule, Said]] = []
        for cause in self._causes:
            if cause.kind in ABOUT_APPROVALS:
                self._ask(cause)
                continue
            if cause.kind in ABOUT_SCHEDULES:
                self._alarm(cause)
                continue
            told += [(cause, rule, said) for rule in self._hearing(cause) if (said := self._follow(cause, rule))]
        runs = store.facts_of(self._cursor, {cause.run_id for cause, _, _ in told if cause.run_id is not None})
        for cause, rule, said in told:
            workflow = self._workflows[cause.workflow_id]
            content = notice_content.about_run(said, rule, workflow, runs.get(cause.run_id or 0))
            self._outbox.put(Notice(rule, cause.workspace_id, workflow.id, content))
        NoticeState.objects.bulk_create(
            self._moved.values(),
            update_conflicts=True,
            unique_fields=["workflow", "rule"],
            update_fields=STATE_FIELDS,
        )
        self._outbox.write()

    def _hearing(self, cause: Cause) -> Iterator[NoticeRule]:
        """The rules that watch the workflow; none that would start a workflow because a notice's workflow ended."""
        workflow = self._workflows.get(cause.workflow_id)
        if workflow is None:
            return
        for rule in self._rules[cause.workspace_id]:
            is_circle = rule.channel == NoticeChannel.WORKFLOW and (
                cause.run_id in self._below or rule.workflow_id == workflow.id
            )
            if _watches(rule, workflow) and not is_circle:
                yield rule

    def _is_muted(self, rule: NoticeRule, workflow_id: UUID) -> bool:
        return (rule.id, None) in self._muted or (rule.id, workflow_id) in self._muted

    def _follow(self, cause: Cause, rule: NoticeRule) -> Said | None:
        """Move the state of one workflow for one rule; what is to be told, if anything."""
        key = (cause.workflow_id, rule.id)
        state = self._states.setdefault(key, NoticeState(workflow_id=key[0], rule_id=key[1]))
        before = Standing(**{name: getattr(state, name) for name in STATE_FIELDS})
        end = End(RunStatus(cause.status or 0), cause.at, cause.seconds)
        after, said = follow(before, end, wishes_of(rule), is_muted=self._is_muted(rule, cause.workflow_id))
        if after != before:
            for name in STATE_FIELDS:
                setattr(state, name, getattr(after, name))
            self._moved[key] = state
        return said

    def _alarm(self, cause: Cause) -> None:
        """Tell about a schedule that should have run, or runs again."""
        for rule in self._hearing(cause):
            if cause.kind in rule.events and not self._is_muted(rule, cause.workflow_id):
                workflow = self._workflows[cause.workflow_id]
                content = notice_content.about_schedule(cause, rule, workflow)
                self._outbox.put(Notice(rule, cause.workspace_id, workflow.id, content))

    def _ask(self, cause: Cause) -> None:
        """Tell about an approval: those it asks, and whoever's rule wants to know."""
        found = Approval.objects.select_related("run__workflow").defer("run__workflow__definition")
        approval = found.filter(id=cause.approval_id).first() if cause.approval_id else None
        if approval is None or not _is_so(cause.kind, approval):
            return
        place = (cause.workspace_id, cause.workflow_id)
        if cause.asked and mail.has_server():
            content = notice_content.about_approval(cause.kind, approval, rule=None)
            self._outbox.put(Notice(None, *place, content, asked=tuple(cause.asked)))
        for rule in self._hearing(cause):
            if cause.kind in rule.events and not self._is_muted(rule, cause.workflow_id):
                content = notice_content.about_approval(cause.kind, approval, rule=rule)
                self._outbox.put(Notice(rule, *place, content))


def wishes_of(rule: NoticeRule) -> Wishes:
    """What a rule wants to hear about the ends of runs."""
    return Wishes(frozenset(rule.events), rule.repeat_minutes * 60.0, rule.slow_seconds)


def _is_so(kind: str, approval: Approval) -> bool:
    """True while what happened to the approval is still the case; nobody is asked what has been answered."""
    if kind == APPROVAL_EXPIRED:
        return approval.state == ApprovalState.EXPIRED
    return approval.state == ApprovalState.PENDING and not RunStatus(approval.run.status).is_final


def _watches(rule: NoticeRule, workflow: Watched) -> bool:
    if rule.scope == NoticeScope.ALL:
        return True
    if rule.scope == NoticeScope.TAG:
        return rule.tag in workflow.tags
    return workflow.id in {one.id for one in rule.workflows.all()}


def _rules(workspace_ids: set[UUID]) -> dict[UUID, list[NoticeRule]]:
    """Active rules by workspace. Locked: their counts of the hour are written back."""
    rows = NoticeRule.objects.filter(workspace_id__in=workspace_ids, is_active=True).order_by("id")
    found: dict[UUID, list[NoticeRule]] = defaultdict(list)
    chosen = Prefetch("workflows", Workflow.objects.only("id"))
    for rule in rows.select_for_update(no_key=True).prefetch_related(chosen):
        found[rule.workspace_id].append(rule)
    return found


def _muted(workspace_ids: set[UUID]) -> set[tuple[UUID | None, UUID | None]]:
    """`(rule, workflow)` of what is muted for everybody; without a workflow it is the whole rule."""
    rows = NoticeMute.objects.filter(Q(until=None) | Q(until__gt=clock.now()), workspace_id__in=workspace_ids)
    return set(rows.filter(user=None).values_list("rule_id", "workflow_id"))


def _states(
    workflows: dict[UUID, Watched], rules: dict[UUID, list[NoticeRule]]
) -> dict[tuple[UUID, UUID], NoticeState]:
    rule_ids = [rule.id for found in rules.values() for rule in found]
    rows = NoticeState.objects.filter(workflow_id__in=list(workflows), rule_id__in=rule_ids)
    return {(row.workflow_id, row.rule_id): row for row in rows}
