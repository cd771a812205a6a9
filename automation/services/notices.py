"""Notice rules: make, change, delete and look; who is told is decided elsewhere (`notice_decisions`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from automation.models import NoticeChannel, NoticeMute, NoticeRule, NoticeState, Workflow
from automation.services import notice_checks
from automation.services.notice_checks import OF_CHANNEL, OF_SCOPE, as_id
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict
from brainops.core.standard_webhooks import new_secret

MOST_RULES = 100  # of one workspace
DEFAULTS: Mapping[str, Any] = {
    "is_active": True,
    "scope": "all",
    "tag": "",
    "workflow_ids": [],
    "recipients": [],
    "url": "",
    "start_workflow_id": None,
    "repeat_minutes": 60,
    "slow_seconds": None,
    "max_per_hour": 20,
    "quiet_hours": None,
}
MEMBERS = ("name", "events", "channel", *DEFAULTS)
_SAME = ("name", "is_active", "scope", "tag", "events", "channel", "recipients", "url", "repeat_minutes")
_PLAIN = (*_SAME, "slow_seconds", "max_per_hour")

Json = Any


@dataclass(frozen=True, slots=True)
class SavedRule:
    """A rule, and the secret when it was made now: it is shown this once."""

    rule: NoticeRule
    secret: str | None = None


def find(caller: Caller) -> QuerySet[NoticeRule]:
    """The rules of the caller's workspace."""
    caller.require(Permission.NOTICES_READ)
    return scoped(with_parts(), caller)


def get(caller: Caller, rule_id: UUID | str) -> NoticeRule:
    """One rule of the caller's workspace. Raises NotFound."""
    caller.require(Permission.NOTICES_READ)
    return get_scoped(with_parts(), caller, rule_id)


def with_parts() -> QuerySet[NoticeRule]:
    """Rules with what is told about them: a number of queries that does not grow with the list."""
    chosen = Prefetch("workflows", Workflow.objects.only("id", "name").order_by("name"))
    mutes = Prefetch("mutes", NoticeMute.objects.filter(user=None, until__gt=clock.now()).order_by("until"))
    return NoticeRule.objects.prefetch_related(chosen, mutes)


def create(caller: Caller, **said: Json) -> SavedRule:
    """Make a rule. Raises InvalidInput with every problem, PermissionDenied, Conflict (`too_many_notices`)."""
    caller.require(Permission.NOTICES_WRITE)
    with transaction.atomic():
        if NoticeRule.objects.filter(workspace_id=caller.workspace()).count() >= MOST_RULES:
            message = f"This workspace has {MOST_RULES} notice rules, the most there may be. Delete one first."
            raise Conflict(message, code="too_many_notices")
        rule = NoticeRule(workspace_id=caller.workspace(), created_by_id=caller.user_id)
        return _save(caller, rule, {**DEFAULTS, **said}, before=None)


def replace(caller: Caller, rule_id: UUID | str, **said: Json) -> SavedRule:
    """Replace all of a rule; what is left out gets its default."""
    with transaction.atomic():
        rule = _locked(caller, rule_id)
        return _save(caller, rule, {**DEFAULTS, **said}, before=facts(rule))


def change(caller: Caller, rule_id: UUID | str, patch: Mapping[str, Json]) -> SavedRule:
    """Change what is named. What belonged to another channel or scope goes with it."""
    with transaction.atomic():
        rule = _locked(caller, rule_id)
        before = facts(rule)
        said = {**before, **patch}
        for name, members in (("channel", OF_CHANNEL), ("scope", OF_SCOPE)):
            for choice, owned in members.items():
                if choice != said[name]:
                    said |= {member: nothing for member, nothing in owned.items() if member not in patch}
        return _save(caller, rule, said, before=before)


def delete(caller: Caller, rule_id: UUID | str) -> None:
    """Delete a rule with its deliveries; what is under way may still arrive."""
    with transaction.atomic():
        rule = _locked(caller, rule_id)
        audit(caller, rule, "delete", f"Deleted the notice rule {rule.name!r}.")
        rule.delete()


def rotate(caller: Caller, rule_id: UUID | str) -> SavedRule:
    """Give a webhook rule a new secret; the old one signs nothing any more. Raises Conflict for other channels."""
    with transaction.atomic():
        rule = _locked(caller, rule_id)
        if rule.channel != NoticeChannel.WEBHOOK:
            message = f"The rule tells by {rule.channel}, which has no secret. Only a webhook is signed."
            raise Conflict(message, code="no_secret")
        rule.secret = secret = new_secret()
        rule.updated_at = clock.now()
        rule.save(update_fields=["secret", "updated_at"])
        audit(caller, rule, "rotate", f"Rotated the secret of the notice rule {rule.name!r}.")
    return SavedRule(get(caller, rule.id), secret)


def facts(rule: NoticeRule) -> dict[str, Json]:
    """What a rule says, in the words of the API."""
    quiet = rule.quiet_from is not None and rule.quiet_until is not None
    return {
        **{name: getattr(rule, name) for name in _PLAIN},
        "workflow_ids": [str(one.id) for one in rule.workflows.all()],
        "start_workflow_id": str(rule.workflow_id) if rule.workflow_id else None,
        "quiet_hours": {
            "from": f"{rule.quiet_from:%H:%M}",
            "until": f"{rule.quiet_until:%H:%M}",
            "timezone": rule.timezone,
        }
        if quiet
        else None,
    }


def locked(caller: Caller, rule_id: UUID | str) -> NoticeRule:
    """One rule that nobody else changes before the transaction ends. Raises NotFound, PermissionDenied."""
    return _locked(caller, rule_id)


def audit(caller: Caller, rule: NoticeRule, verb: str, summary: str, changes: Mapping[str, Json] | None = None) -> None:
    """Record what was done to a rule."""
    record(
        actor=caller,
        workspace_id=rule.workspace_id,
        action=f"notice.{verb}",
        target_kind="notice",
        target_id=rule.id,
        summary=summary,
        changes=changes,
    )


def _locked(caller: Caller, rule_id: UUID | str) -> NoticeRule:
    caller.require(Permission.NOTICES_WRITE)
    return get_scoped(with_parts().select_for_update(), caller, rule_id)


def _save(
    caller: Caller, rule: NoticeRule, said: Mapping[str, Json], *, before: Mapping[str, Json] | None
) -> SavedRule:
    notice_checks.check(caller, said)
    quiet = said["quiet_hours"] or {}
    for name in _PLAIN:
        setattr(rule, name, said[name])
    rule.events = list(dict.fromkeys(said["events"]))
    rule.workflow_id = as_id(said["start_workflow_id"]) if said["start_workflow_id"] else None
    rule.quiet_from = time.fromisoformat(quiet["from"]) if quiet else None
    rule.quiet_until = time.fromisoformat(quiet["until"]) if quiet else None
    rule.timezone = quiet.get("timezone", "UTC")
    rule.updated_at = clock.now()
    secret = _settle_secret(rule)
    rule.save(force_insert=before is None)
    rule.workflows.set(Workflow.objects.only("id").filter(id__in=said["workflow_ids"]))
    saved = with_parts().get(id=rule.id)
    now = facts(saved)
    _forget_states(rule, before, now)
    changes = (
        {name: [before.get(name), value] for name, value in now.items() if before[name] != value} if before else {}
    )
    summary = f"Changed {', '.join(changes) or 'nothing'} of the notice rule {rule.name!r}."
    made = f"Made the notice rule {rule.name!r}."
    audit(caller, rule, "update" if before else "create", summary if before else made, changes or None)
    return SavedRule(saved, secret)


def _settle_secret(rule: NoticeRule) -> str | None:
    """Make the secret of a rule that has become a webhook; return it then."""
    if rule.channel != NoticeChannel.WEBHOOK:
        rule.secret = None
        return None
    if rule.secret is not None:
        return None
    rule.secret = secret = new_secret()
    return secret


def _forget_states(rule: NoticeRule, before: Mapping[str, Json] | None, now: Mapping[str, Json]) -> None:
    """A rule that watches other workflows now, or none, knows nothing about them yet."""
    if before and any(before[name] != now[name] for name in ("is_active", "scope", "tag", "workflow_ids")):
        NoticeState.objects.filter(rule=rule).delete()
