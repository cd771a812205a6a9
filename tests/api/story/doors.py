"""Triggers, webhooks, notices, the audit log, and what staff see."""

from __future__ import annotations

import hmac
from typing import Any
from uuid import uuid4

import orjson

from automation.models import NoticeDelivery
from automation.services.notice_decisions import decide_due
from brainops.accounts.models import Workspace
from tests.api.story.people import in_days
from tests.api.story.runs import ended
from tests.api.story.teller import Book, Voice
from tests.api.story.workflows import make

FORM = '--frontier\r\nContent-Disposition: form-data; name="ref"\r\n\r\nmain\r\n--frontier--\r\n'
SAY = {"id": "say", "uses": "log", "with": {"message": "hello"}}


def triggers(ada: Voice, flow: str) -> None:
    """A schedule."""
    made = ada.ask(
        "triggers_create",
        {"workflow_id": flow, "kind": "schedule", "name": "Every morning", "config": {"cron": "0 9 * * *"}},
    )
    ada.ask("triggers_list")
    ada.ask("triggers_retrieve", id=made["id"])
    at_eight = {"cron": "0 8 * * 1-5", "timezone": "Europe/Berlin"}
    body = {"workflow_id": flow, "kind": "schedule", "name": "Weekdays", "config": at_eight}
    ada.ask("triggers_update", body, id=made["id"])
    this_week = {"from": in_days(-4), "until": in_days(0), "dry_run": True}
    ada.ask("triggers_backfill_create", this_week, id=made["id"])
    ada.ask("triggers_backfill_create", {**this_week, "dry_run": False}, id=made["id"])
    ada.ask("triggers_firings_list", id=made["id"])
    ada.ask("triggers_test_create", {"run": True}, id=made["id"])
    ada.ask("triggers_partial_update", {"is_active": False}, id=made["id"])
    ada.ask("triggers_destroy", id=made["id"])
    make(ada, "Careful", SAY, settings={"concurrency": {"limit": 2}})
    ada.ask("limits_list")


def webhooks(ada: Voice) -> None:
    """A webhook that GitHub calls, and one that answers what its workflow says."""
    hook, secret = _hook(ada, make(ada, "Push", SAY))
    ada.ask("webhooks_list")
    ada.ask("webhooks_retrieve", webhook_id=hook)
    _deliver(ada.book, hook, secret, {"ref": "refs/heads/main"})
    _deliver(ada.book, hook, secret, "payload=%7B%22ref%22%3A%22main%22%7D", kind="application/x-www-form-urlencoded")
    _deliver(ada.book, hook, secret, "main", kind="text/plain")
    _deliver(ada.book, hook, secret, "<push><ref>main</ref></push>", kind="application/xml")
    _deliver(ada.book, hook, secret, "any bytes", kind="application/octet-stream")
    _deliver(ada.book, hook, secret, FORM, kind="multipart/form-data; boundary=frontier")
    _try(ada, hook, secret)
    ada.ask("webhooks_test_create", {"event": "push", "body": {"ref": "refs/heads/main"}}, webhook_id=hook)
    events = ada.ask("webhooks_events_list", webhook_id=hook)["results"]
    ada.ask("webhooks_events_retrieve", webhook_id=hook, event_id=events[-1]["id"])
    _replay(ada, hook, events[-1]["id"])
    ada.ask("webhooks_rotate_create", {"grace_seconds": 3600}, webhook_id=hook)


def _try(ada: Voice, hook: str, secret: str) -> None:
    """The test address, and what came to it."""
    address = ada.ask("webhooks_listen_create", {"seconds": 600}, webhook_id=hook)["test_url"]
    _deliver(ada.book, address.rpartition("/")[2], secret, {"ref": "refs/heads/main"}, door="webhooks_try_create")
    tried = ada.ask("webhooks_test_deliveries_list", webhook_id=hook)["results"][0]
    ada.ask("webhooks_test_deliveries_retrieve", webhook_id=hook, delivery_id=tried["id"])
    ada.ask("webhooks_test_deliveries_latest_retrieve", webhook_id=hook)
    ada.ask("webhooks_listen_destroy", webhook_id=hook)


def _replay(ada: Voice, hook: str, event: str) -> None:
    """Deliveries again: one, many, and only rehearsed."""
    ada.ask("webhooks_events_curl_retrieve", webhook_id=hook, event_id=event)
    ada.ask("webhooks_events_replay_create", {"version": "latest"}, webhook_id=hook, event_id=event)
    ada.ask("webhooks_events_dry_run_create", {}, webhook_id=hook, event_id=event)
    push = {"filter": {"event_type": "push"}}
    ada.ask("webhooks_replay_preview_create", push, webhook_id=hook)
    ada.ask("webhooks_replay_dry_run_create", push, webhook_id=hook)
    ada.ask("webhooks_replay_create", {**push, "per_minute": 60}, webhook_id=hook)


def _hook(ada: Voice, flow: str) -> tuple[str, str]:
    body = {"workflow_id": flow, "kind": "webhook", "config": {"scheme": "github"}}
    made = ada.ask("triggers_create", body)
    return made["webhook"]["id"], made["webhook"]["secret"]


def _deliver(
    book: Book,
    hook: str,
    secret: str,
    body: Any,
    *,
    kind: str = "application/json",
    door: str = "webhooks_receive_create",
) -> None:
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    proof = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    named = {"X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid4())}
    headers = {**named, "X-Hub-Signature-256": f"sha256={proof}"}
    Voice(book).ask(door, body, kind=kind, webhook_id=hook, test_id=hook, headers=headers)


def notices(ada: Voice) -> None:
    """A rule that tells of failures."""
    body = {"name": "Failures", "events": ["first_failure", "recovered"], "channel": "email"}
    rule = ada.ask("notices_create", {**body, "recipients": ["ops@example.com"]})["id"]
    flow = make(ada, "Closed", {"id": "stop", "uses": "fail", "with": {"message": "The shop is closed."}})
    ended(ada, flow)
    decide_due()
    ada.ask("notices_list")
    ada.ask("notices_retrieve", id=rule)
    NoticeDelivery.objects.update(state="failed", attempts=3, last_error="The mail server said 554.")
    sent = ada.ask("notices_deliveries_list", id=rule)["results"][0]["id"]
    ada.ask("notices_deliveries_redeliver_create", {}, id=rule, delivery_id=sent)
    ada.ask("notices_test_create", {}, id=rule)
    for kind in ("application/json", "application/merge-patch+json"):
        ada.ask("notices_mute_create", {"until": in_days(1), "workflow_id": flow}, id=rule, kind=kind)
    ada.ask("notices_partial_update", {"repeat_minutes": 60}, id=rule)
    ada.ask("notices_update", {**body, "recipients": ["role:operator"]}, id=rule)
    url = "https://hooks.example.com/brainops"
    hook = ada.ask("notices_create", {"name": "Chat", "events": ["first_failure"], "channel": "webhook", "url": url})[
        "id"
    ]
    ada.ask("notices_rotate_create", {}, id=hook)
    ada.ask("notices_destroy", id=hook)


def audit(ada: Voice) -> None:
    """What happened so far."""
    rows = ada.ask("audit_list", query={"limit": 2})["results"]
    ada.ask("audit_retrieve", uid=rows[0]["id"])
    for kind in ("ndjson", "csv"):
        ada.ask("audit_export_retrieve", query={"format": kind, "target_kind": "secret"})
    proof = ada.ask("audit_verify_create")
    ada.ask("audit_verify_create", {"after": proof["proof"]} if "proof" in proof else None)
    Voice(ada.book).ask("health_retrieve")


def staff(root: Voice, home: Workspace, user: Any, flow: str) -> None:
    """What reaches over workspaces."""
    root.ask("admin_workflows_list", query={"limit": 1})
    root.ask("admin_workflows_user_list", user_id=user, query={"limit": 1})
    root.ask("admin_workflows_bulk_create", {"action": "archive", "ids": [flow], "dry_run": True})
    root.ask("admin_runs_list", query={"limit": 1})
    root.ask("admin_stats_retrieve")
    root.ask("admin_audit_list", query={"limit": 1})
    root.ask("admin_audit_verify_create", {})
    root.ask("admin_workspaces_quotas_retrieve", id=home.id)
    body = {"max_workflows": 500, "max_runs_per_day": 100_000}
    root.ask("admin_workspaces_quotas_partial_update", body, id=home.id)
