"""How states look: a word, an icon and a tone, always all three. The one table behind pills, bars and tiles.

Tones are named by meaning, not by colour; `tokens.css` gives each its colours in the light and the dark theme.
"""

from __future__ import annotations

from dataclasses import dataclass

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import ApprovalState, DeliveryState, EventDeliveryState, WorkerState
from automation.models.arrival import ArrivalDecision
from automation.models.firing import FiringDecision


@dataclass(frozen=True, slots=True)
class Look:
    """`icon` is a name of Material Symbols; `tone` is success, danger, warning, info or neutral."""

    word: str
    icon: str
    tone: str
    is_dashed: bool = False  # never happened, or was called off


RUNS = {
    RunStatus.QUEUED: Look("Queued", "schedule", "neutral"),
    RunStatus.BLOCKED: Look("Blocked by a limit", "traffic", "warning"),
    RunStatus.SUSPECT: Look("Waits to run alone", "quarantine", "warning"),
    RunStatus.RUNNING: Look("Running", "progress_activity", "info"),
    RunStatus.WAITING: Look("Waiting", "hourglass_top", "warning"),
    RunStatus.SUCCEEDED: Look("Succeeded", "check_circle", "success"),
    RunStatus.FAILED: Look("Failed", "error", "danger"),
    RunStatus.CANCELLED: Look("Cancelled", "block", "neutral", is_dashed=True),
    RunStatus.TIMED_OUT: Look("Timed out", "timer_off", "danger"),
}
WAITS = {
    WaitKind.TIMER: Look("Waits for a timer", "hourglass_top", "warning"),
    WaitKind.RETRY: Look("Waits to retry", "autorenew", "warning"),
    WaitKind.APPROVAL: Look("Needs approval", "front_hand", "warning"),
    WaitKind.SIGNAL: Look("Waits for a signal", "notifications", "warning"),
    WaitKind.CHILD: Look("Waits for another run", "account_tree", "warning"),
}
STEPS = {
    StepStatus.STARTED: Look("Started", "progress_activity", "info"),
    StepStatus.OPEN: Look("Under way", "progress_activity", "info"),
    StepStatus.WAITING: Look("Waiting", "hourglass_top", "warning"),
    StepStatus.RETRYING: Look("Retrying", "autorenew", "warning"),
    StepStatus.SUCCEEDED: Look("Succeeded", "check_circle", "success"),
    StepStatus.FAILED: Look("Failed", "error", "danger"),
    StepStatus.SKIPPED: Look("Skipped", "do_not_disturb_on", "neutral", is_dashed=True),
    StepStatus.UNKNOWN: Look("Outcome unknown", "help", "danger"),
    StepStatus.CANCELLED: Look("Cancelled", "block", "neutral", is_dashed=True),
}
STEP_RUNNING = Look("Running", "progress_activity", "info")
STEP_PENDING = Look("Not started", "circle", "neutral")
STEP_NEVER = Look("Not run", "circle", "neutral", is_dashed=True)
STEP_WORDS = {**{status.word: look for status, look in STEPS.items()}, "running": STEP_RUNNING}

# What is known about an effect (`services/effects.py`).
EFFECTS = {
    "confirmed": Look("Confirmed", "check_circle", "success"),
    "started": Look("Started", "progress_activity", "info"),
    "unknown": Look("Outcome unknown", "help", "danger"),
    "failed": Look("Failed", "error", "warning"),
}
# What a step waits for (`services/waits.py`).
WAITED = {
    "timer": Look("Waits for a time", "hourglass_top", "warning"),
    "retry": Look("Waits to retry", "autorenew", "warning"),
    "approval": Look("Needs approval", "front_hand", "warning"),
    "signal": Look("Waits for a signal", "notifications", "warning"),
    "child": Look("Waits for another run", "account_tree", "warning"),
    "unknown": Look("Asks what became of an effect", "help", "danger"),
    "limit": Look("Waits for its limit", "traffic", "warning"),
    "quiet": Look("Waits until it is quiet", "hourglass_top", "warning"),
    "queue": Look("Waits for a worker", "schedule", "neutral"),
}
REPLAYS = {
    "running": Look("Under way", "progress_activity", "info"),
    "done": Look("Done", "check_circle", "success"),
    "cancelled": Look("Cancelled", "block", "neutral", is_dashed=True),
}
# What an import does with a workflow of its file (`services/exchange/plans.py`).
IMPORTS = {
    "create": Look("Create", "add_circle", "success"),
    "update": Look("Change", "edit", "info"),
    "skip": Look("Skip", "skip_next", "neutral", is_dashed=True),
    "unchanged": Look("Unchanged", "check_circle", "neutral"),
    "conflict": Look("Conflict", "call_split", "warning"),
    "refused": Look("Refused", "error", "danger"),
}

WORKERS = {
    WorkerState.LIVE: Look("Live", "check_circle", "success"),
    WorkerState.DRAINING: Look("Draining", "pause_circle", "warning"),
    WorkerState.DEAD: Look("Declared dead", "error", "danger"),
    WorkerState.GONE: Look("Stopped", "stop_circle", "neutral", is_dashed=True),
}
FIRINGS = {
    FiringDecision.RAN: Look("Ran", "check_circle", "success"),
    FiringDecision.MISSED: Look("Missed", "history_toggle_off", "warning"),
    FiringDecision.INACTIVE: Look("Workflow off", "pause_circle", "neutral", is_dashed=True),
    FiringDecision.REFUSED: Look("Refused", "error", "danger"),
    FiringDecision.FULL: Look("Limit full", "traffic", "warning"),
    FiringDecision.OVER_QUOTA: Look("Over quota", "speed", "warning"),
    FiringDecision.OVERLAP: Look("Overlapped", "layers", "neutral"),
    FiringDecision.CONDITION: Look("Condition false", "filter_alt", "neutral"),
    FiringDecision.QUEUED: Look("Queued", "hourglass_top", "info"),
    FiringDecision.OVERFLOW: Look("Queue full", "hourglass_disabled", "warning"),
}
EVENT_DELIVERIES = {
    EventDeliveryState.RAN: Look("Ran", "check_circle", "success"),
    EventDeliveryState.PENDING: Look("Pending", "hourglass_top", "warning"),
    EventDeliveryState.SKIPPED: Look("Skipped", "filter_alt", "neutral"),
    EventDeliveryState.DEAD: Look("Dead letter", "mark_email_unread", "danger"),
    EventDeliveryState.DISCARDED: Look("Discarded", "delete", "neutral", is_dashed=True),
}
ARRIVALS = {
    ArrivalDecision.RAN: Look("Ran", "check_circle", "success"),
    ArrivalDecision.CONDITION: Look("Condition false", "filter_alt", "neutral"),
    ArrivalDecision.SKIPPED: Look("There before", "history", "neutral", is_dashed=True),
    ArrivalDecision.INACTIVE: Look("Switched off", "pause_circle", "neutral", is_dashed=True),
    ArrivalDecision.REFUSED: Look("Refused", "error", "danger"),
    ArrivalDecision.FULL: Look("Waits for the limit", "traffic", "warning"),
    ArrivalDecision.OVER_QUOTA: Look("Over quota", "speed", "warning"),
    ArrivalDecision.FAILED: Look("Condition failed", "error", "danger"),
    ArrivalDecision.LEFT_OUT: Look("Left out", "do_not_disturb_on", "neutral"),
}
# How a trigger is doing (`services/trigger_health.py`).
HEALTH = {
    "ok": Look("OK", "check_circle", "success"),
    "failing": Look("Failing", "error", "danger"),
    "quiet": Look("Quiet", "bedtime", "warning"),
    "off": Look("Off", "pause_circle", "neutral", is_dashed=True),
    "never_ran": Look("Never ran", "circle", "neutral"),
}
APPROVALS = {
    ApprovalState.PENDING: Look("Waiting", "front_hand", "warning"),
    ApprovalState.APPROVED: Look("Approved", "check_circle", "success"),
    ApprovalState.REJECTED: Look("Rejected", "cancel", "danger"),
    ApprovalState.EXPIRED: Look("Expired", "timer_off", "neutral"),
    ApprovalState.WITHDRAWN: Look("Withdrawn", "block", "neutral", is_dashed=True),
    ApprovalState.HAPPENED: Look("It happened", "check_circle", "success"),
    ApprovalState.REPEAT: Look("Done again", "replay", "info"),
    ApprovalState.FAIL: Look("Failed", "error", "danger"),
}
DELIVERIES = {
    DeliveryState.PENDING: Look("On its way", "schedule", "info"),
    DeliveryState.SENT: Look("Sent", "check_circle", "success"),
    DeliveryState.FAILED: Look("Given up", "error", "danger"),
    DeliveryState.DROPPED: Look("Nobody to tell", "block", "neutral", is_dashed=True),
}
ON = Look("Active", "check_circle", "success")
OFF = Look("Paused", "pause_circle", "warning")
STOPPED = Look("Stopped", "error", "danger")  # a schedule that cannot go on; its ledger says why
ARCHIVED = Look("Archived", "inventory_2", "neutral", is_dashed=True)


def run_look(status: int, wait_kind: int | None = None) -> Look:
    """How a run looks; a waiting one says what it waits for."""
    if status == RunStatus.WAITING and wait_kind is not None:
        return WAITS[WaitKind(wait_kind)]
    return RUNS[RunStatus(status)]


def workflow_look(*, is_active: bool, is_archived: bool) -> Look:
    """How a workflow looks."""
    if is_archived:
        return ARCHIVED
    return ON if is_active else OFF
