"""Every hand-written statement with parameters to plan it, and the indexes it was written for."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from django.db import connection

from automation.store import checkpoint, intake_many
from automation.store.claim import Wanted
from automation.store.intake import NewRun
from automation.tests.store.statement_rows import HOME

ID = uuid.uuid4()  # of nothing
WORKER = {"worker": ID, "token": ID, **Wanted(shared=16).parameters()}
NEW = NewRun(workspace_id=HOME, workflow_id=ID, version_id=ID, inputs={}, dedupe_key="key:x").parameters()
MANY = {name: [NEW[name]] for name in intake_many.COLUMNS}
KEPT = NEW | {
    "run_is_pinned": True,
    "kept_paths": ["a"],
    "reopened_paths": ["a"],
    "kept_again": "{}",
    "run_parent_run_id": 1,
}
ENTRY = checkpoint.Entry(run_id=1, claim=ID)
TEXTS = checkpoint.texts_of(ENTRY)
CHECKPOINT = checkpoint._moves([ENTRY], [TEXTS]) | checkpoint._steps([ENTRY], [TEXTS])
WITH_LOGS = CHECKPOINT | checkpoint._lines([ENTRY])
PROCESS = {"id": ID, "name": "host/0", "host": "host", "pid": 1, "release": "", "slots": 1, "dead": [ID]}
KEY = (HOME, "user:1", "k")
KEYS = "automation_idempotencykey_pkey"
VALUE = {"workspace": HOME, "key": "k", "value": "1", "expected": "1", "version": 1, "expires": None, "by": "1"}
VALUES = "state_value_key"
MEMO = {"run": 1, "claim": ID, "path": "a", "number": 1}
AT = "2026-01-01T00:00:00Z"
PAYLOAD = "automation_payload_pkey"
LARGE_INPUT = {"run_input": "{}", "run_input_ref": "x", "run_input_size": 1, "run_input_data": b"x"}
ASKED = {"run": 1, "path": "a", "number": 1}
QUESTION = ASKED | {"id": ID, "workspace": HOME, "kind": "approval", "title": "x", "message": "", "assignees": "[]"}
QUESTION |= {"quorum": 1, "form": None, "expires": 60.0, "escalates": None, "escalate_to": "[]"}
CALLBACK = {"run": 1, "path": "a", "name": "x", "hash": b"x", "expires_at": None}
SIGNALS, CALLBACKS = "automation_signal_run_id", "automation_callback_pkey"
NEXT = {"ids": [ID], "versions": [ID], "numbers": ["1.0.1"], "tags": ["[]"], "meta_data": [None]}
NEXT |= {"note": "", "author": None}
STRETCH = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
OWN = STRETCH | {"workspace": HOME, "user": ID}
TRANSFER = "automation_transfer_pkey"
IDS = {"ids": [ID]}
EVENT = {"id": ID, "workspace": HOME, "type": "x", "source": "/", "given_id": "1", "subject": "", "said_at": ""}
EVENT |= {"content_type": "", "data_schema": "", "extensions": "{}", "data": "1", "is_binary": False, "digest": b"x"}
EVENT |= {"hops": 0, "cause": None, "run": None, "path": "", "sent_by": ""}
WISH = {"workspace": HOME, "listener": "trigger", "holder": ID}
ADDRESSED = {"events": [ID], "triggers": [ID], "positions": [1], "states": ["pending"], "codes": [""], "reasons": [""]}
SETTLED = {"ids": [ID], "states": ["ran"], "codes": [""], "reasons": [""], "runs": [ID], "pauses": [0.0]}
RUN, DATA, STEP = "automation_run_pkey", "automation_rundata_pkey", "automation_steprun_pkey"
GOES_BY = (
    RUN,
    DATA,
    STEP,
    PAYLOAD,
    "automation_runlog_pkey",
    "automation_localeffect_pkey",
    "automation_signal_run_id",
)
STORED_FILE = "automation_storedfile_pkey"
A_FILE = {"id": ID, "workspace": HOME, "name": "a", "content_type": "a/b", "size": 1, "sha256": "x", "seconds": 1.0}
LOOK, SOURCE = {"id": ID, "fence": 1}, "automation_source_pkey"
TAKEN = {"trigger": ID, "keys": ["a"], "decisions": [1], "runs": [ID], "reasons": [""], "operands": [None]}
BROUGHT = {"trigger": ID, "workspace": HOME, "ids": [ID], "keys": ["a"], "data": ["{}"], "is_cut": [False]}
BROUGHT |= {"handles": [None], "at": [AT], "facts": [None]}
SAMPLE = {"percent": 1.0, "row": 100}


class Case(NamedTuple):
    """Parameters, and the indexes that must serve the statement."""

    parameters: Any = ()
    indexes: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "approvals_due.DUE": Case((100,), ("approval_expiry", "approval_escalation")),
    "approvals_due.CLOSE": Case({"id": ID, "state": "expired"}, ("approval_expiry",)),  # few are due at a time
    "approvals_due.ESCALATE": Case((ID,), ("approval_escalation",)),
    "bulk_workflows.ADD_VERSIONS": Case(NEXT, ("automation_workflow_pkey", "version_ordinal_once")),
    "bulk_workflows.POINT_AT_NOTHING": Case(([ID],), ("automation_workflow_pkey",)),
    "bulk_workflows.DELETE_VERSIONS": Case(([ID],), ("automation_workflowversion_",)),
    "bulk_workflows.POINT_AT_VERSIONS": Case(NEXT, ("automation_workflow_pkey",)),
    "callback_tokens.MAKE": Case(CALLBACK, ("callback_once",)),
    "callback_tokens.FIND": Case(CALLBACK, ("callback_once",)),
    "callback_tokens.REPLACE": Case(CALLBACK, ("callback_once",)),
    "callees.FIND": Case({"workspace": HOME, "id": ID, "name": "w1"}, ("automation_workflow_pkey", "workflow_name")),
    "callees.FIND_VERSION": Case((ID, "1.0.0")),
    "callees.DEFINITION": Case((ID,), ("automation_workflowversion_pkey",)),
    "callees.CHAIN": Case({"run": 1, "path": "a", "most": 8}, (RUN,)),
    "cancel.CANCEL": Case(([1],), (RUN,)),
    "checkpoint.WITHOUT_LOGS": Case(CHECKPOINT, (RUN, DATA, STEP)),
    "checkpoint.WITH_LOGS": Case(WITH_LOGS, (RUN, DATA, STEP)),
    "checkpoint.WITH_PAYLOADS": Case(WITH_LOGS | checkpoint._payloads([ENTRY], [TEXTS]), (RUN, DATA, STEP)),
    "claim.CLAIM": Case(WORKER, ("run_ready", RUN, DATA)),
    "claim.CLAIM_SUSPECT": Case(WORKER, ("run_suspect",)),
    "claim.HELD": Case((1, ID), (RUN, DATA)),
    "claim.HOLDER_SILENCE": Case((1, ID), (RUN,)),
    "claim.GIVE_BACK": Case({"workers": [ID], "tokens": [ID]}, ("run_owner",)),
    "commands.FENCE": Case(MEMO, (RUN,)),
    "commands.MEMO": Case(MEMO, ("automation_localeffect_pkey",)),
    "commands.REMEMBER": Case((1, "a", 1, "{}")),
    "commands.approvals.OPEN": Case(QUESTION, ("approval_once",)),
    "commands.approvals.EXPIRE": Case(ASKED, ("approval_expiry",)),
    "commands.approvals.LOOK": Case(ASKED, ("approval_once",)),
    "commands.calls.FIND_CHILD": Case((1, ["a"]), ("run_child", DATA)),
    "commands.calls.CALLER": Case((1,), (RUN,)),
    "commands.calls.UNENDED_CHILDREN": Case((1, ["a"]), ("run_children",)),
    "commands.calls.MARK_CALLER": Case((1,), (RUN,)),
    "commands.signals.TAKE": Case(ASKED | {"name": "x"}, ("signal_taken_once", SIGNALS)),
    "commands.signals.BEGIN": Case(ASKED | {"seconds": 1.0}),
    "commands.signals.NOW": Case(),
    "commands.signals.UNTIL": Case(ASKED, ("automation_localeffect_pkey",)),
    "connection.LIMIT_STATEMENTS": Case(("5s",)),
    "delete_runs.DELETE_RUNS": Case(([ID], 5, 5), ("run_list", *GOES_BY)),
    "delete_runs.UNTIE_CALLED": Case(([ID], [ID]), ("run_list", "run_children")),
    "quotas.OF_WORKSPACE": Case((HOME,), ("accounts_workspace_pkey",)),
    "quotas.LOCK": Case((str(HOME),)),
    "quotas.COUNT_WORKFLOWS": Case((HOME,)),
    "quotas.COUNT_ACTIVE_TRIGGERS": Case((HOME,)),
    "quotas.COUNT_RUNS_SINCE": Case({"workspace": HOME, "since": AT}),
    "pause.PAUSE": Case(),
    "pause.RESUME": Case((), ("automation_tick_",)),
    "pause.PAUSED_SINCE": Case((), ("automation_tick_",)),
    "pause.STILL_AT_WORK": Case((), ("run_owner",)),
    "prune.EXAMINE": Case((0, 5000), (RUN,)),
    "prune.KEPT_FROM": Case((ID, 9), ("run_list",)),
    "prune.SAID": Case(),
    "prune.WEIGH": Case(([1],), (RUN, STEP, "automation_runlog_pkey")),
    "prune.UNTIE": Case({"runs": [1]}, ("run_retries", "run_children", RUN)),
    "prune.PRUNE": Case({"runs": [1]}, ("run_retries", "run_children", *GOES_BY)),
    "ended.ENDED": Case({"runs": [1], "respond": [1]}, (RUN, DATA)),
    "event_deliveries.ALONE": Case((1,)),
    "event_deliveries.CONFIGS": Case(IDS),
    "event_deliveries.ADD": Case(ADDRESSED, ("event_delivered_once",)),
    "event_deliveries.DUE": Case({"most": 20}, ("event_delivery_next",)),
    "event_deliveries.HAS_DUE": Case((), ("event_delivery_next",)),
    "event_deliveries.STANDING": Case((), ("event_delivery_next", "event_delivery_dead")),
    "event_deliveries.SETTLE": Case(SETTLED, ("automation_eventdelivery_pkey",)),
    "event_queue.ALONE": Case((1,)),
    "event_queue.TAKE": Case({"most": 200, "each": 50}, ("queued_event_next",)),
    "event_queue.HAS_QUEUED": Case(),
    "event_queue.IS_WANTED": Case({"beginning": "brainops.run."}),
    "event_queue.OLDEST": Case(),
    "event_queue.REMOVE": Case({"ids": [1]}, ("automation_queuedevent_pkey",)),
    "event_queue.WORKSPACES": Case(IDS),
    "event_queue.WISHES": Case(IDS, ("event_wish_once",)),
    "event_queue.RUNS": Case({"ids": [1]}, (RUN, DATA)),
    "event_queue.WISH": Case(WISH | {"types": ["x"]}),
    "event_queue.UNWISH": Case(WISH, ("event_wish_holder",)),
    "events.PUBLISH": Case(EVENT, ("event_taken_once", "event_wish_once")),
    "events.FIND_TAKEN": Case(EVENT, ("event_taken_once",)),
    "events.CAUSES": Case({"runs": [1]}, (RUN, DATA, "automation_event_pkey")),
    "events.ABOVE": Case({"id": ID}, (RUN, DATA, "automation_event_pkey")),
    "events.CHAIN": Case({"id": ID, "most": 8}, ("automation_event_pkey",)),
    "events.READ": Case(IDS, ("automation_event_pkey",)),
    "events.FORGET": Case((30, 100)),
    "failure_calls.TAKE": Case((1,), ("run_calls_on_failure", DATA)),
    "failure_calls.CLEAR": Case((1,), (RUN,)),
    "failure_calls.SAY": Case({"run": 1, "level": "info", "message": "x"}, ("automation_runlog_pkey",)),
    "arrivals.LISTENING": Case({"ids": [ID]}, ("automation_trigger_pkey", "automation_workflow_pkey")),
    "arrivals.CLAIM": Case(BROUGHT, ("arrival_once",)),
    "arrivals.DECIDE": Case(TAKEN, ("arrival_once",)),
    "arrivals.KNOWN": Case({"trigger": ID, "keys": ["a"]}, ("arrival_once",)),
    "arrivals.SHOWN": Case({"trigger": ID, "keys": ["a"]}, ("arrival_once", "automation_arrival_pkey")),
    "arrivals.UNSETTLED": Case({"trigger": ID, "most": 5}, ("arrival_unsettled",)),
    "arrivals.SETTLE": Case({"ids": [ID]}, ("automation_arrival_pkey",)),
    "arrivals.PRUNE": Case({"days": 30, "most": 5}, ("arrival_age",)),
    "arrivals.FORGET_SAMPLES": Case({"days": 30, "most": 5}, ("arrival_sample_age",)),
    "firings.LOCK_DUE": Case((10,), ("trigger_due",)),
    "firings.NOW": Case(),
    "firings.RECORD": Case(([ID], [AT], [1], [""]), ("automation_firing_pkey",)),
    "firings.CATCH_UP": Case(([ID], [AT], [1], [""]), ("automation_firing_pkey",)),
    "firings.LINK": Case(([ID], [AT], [ID]), ("automation_firing_pkey",)),
    "firings.LEAVE_OUT": Case(([ID], [AT], [5], [""]), ("automation_firing_pkey",)),
    "firings.ADVANCE": Case(([ID], [AT], [AT]), ("automation_trigger_pkey",)),
    "firings.LIVING": Case(([ID],), ("run_trigger",)),
    "schedule_alarms.RAISE": Case(([ID], ["slots"], [AT], [""]), ("automation_trigger_pkey", "notice_active")),
    "schedule_alarms.END": Case(([ID], "slots"), ("schedule_alarm_once", "automation_trigger_pkey", "notice_active")),
    "schedule_alarms.FORGET": Case((), ("automation_trigger_pkey", "automation_workflow_pkey")),
    "schedule_alarms.IN_VAIN": Case(([ID], 3, 3), ("automation_firing_pkey",)),
    "schedule_alarms.OVERDUE": Case((10,), ("trigger_due", "schedule_alarm_once")),
    "schedule_alarms.EXPECTED": Case((ID, 10), ("trigger_expects_success", "run_list")),
    "schedule_alarms.STANDING": Case((10,), ("automation_trigger_pkey",)),
    "queued_slots.LOCK_QUEUED": Case((10,), ("firing_queued", "run_trigger")),
    "queued_slots.COUNT_QUEUED": Case(([ID],), ("firing_queued",)),
    "queued_slots.TAKE_QUEUED": Case(([ID], [AT], [1], [""]), ("firing_queued",)),
    "firings.PRUNE": Case((30,), ("firing_recent",)),
    "idempotency_keys.TAKE": Case((*KEY, b"", 5), (KEYS,)),
    "idempotency_keys.FIND": Case(KEY, (KEYS,)),
    "idempotency_keys.KEEP": Case((200, "{}", "{}", *KEY), (KEYS,)),
    "idempotency_keys.FORGET": Case((5, 5), ("idempotency_age",)),
    "in_use.IN_USE": Case({"all": False}, ("run_ready", "run_blocked", "run_suspect", "run_owner", "run_wake")),
    "in_use.DEFINITIONS": Case(([ID],), ("automation_workflowversion_pkey",)),
    "files.INSERT": Case(A_FILE),
    "files.TAKE_UNUSED": Case(A_FILE, ("stored_file_unused",)),
    "files.ADD_CHUNK": Case((ID, 0, b"x")),
    "files.FIND": Case((ID, HOME), (STORED_FILE,)),
    "files.CHUNK": Case((ID, 0), ("automation_filechunk_pkey",)),
    "files.CHUNK_OF_WORKSPACE": Case((ID, HOME, 0), (STORED_FILE, "automation_filechunk_pkey")),
    "files.SIZE_SINCE": Case((HOME, AT), ("stored_file_age",)),
    "files.FORGET": Case({"most": 50}, ("stored_file_expiry",)),
    "files.DELETE_OF_WORKSPACE": Case((ID,), ("stored_file_age",)),
    "intake.INSERT": Case(NEW, ("run_dedupe",)),
    "intake.LARGE_INSERT": Case(NEW | LARGE_INPUT, ("run_dedupe",)),
    "intake.INSERT_WITH_FILES": Case(NEW | {"run_files": [ID]}, ("run_dedupe", STORED_FILE)),
    "intake_many.INSERT_MANY": Case(MANY, ("run_dedupe",)),
    "intake.FIND_DUPLICATE": Case((ID, "key:x"), ("run_dedupe",)),
    "limits.LOCK": Case({"key": f"{ID}:x"}, ("automation_workflow_pkey", "automation_workflowversion_pkey")),
    "limits.ADMIT": Case({"key": "limit", "most": 1}, ("run_limit", "run_blocked", RUN)),
    "limits.KEYS": Case({"after": "", "most": 500}, ("run_blocked", "run_limit")),
    "limits.OVERTAKEN": Case({"key": f"{ID}:x"}, ("run_blocked", "run_limit")),
    "limits.KEYS_OF": Case(([1],), (RUN,)),
    "limits.FORGET": Case((), ("run_limit", "run_blocked")),
    "load.ENDED_CALLS": Case(([1],), ("run_children",)),
    "load.STEPS": Case(([1],), (STEP,)),
    "load.VERSIONS": Case(([ID],), ("automation_workflowversion_pkey",)),
    "storage_use.IS_DUE": Case((300,)),
    "storage_use.TABLE_BYTES": Case(("automation_run",)),
    **{f"storage_use.WEIGH_{what}": Case(SAMPLE) for what in ("RUNS", "DATA", "STEPS", "PAYLOADS", "LOGS", "FILES")},
    "storage_use.KEEP": Case(([HOME], [1])),
    "payloads.LOAD": Case(([1], ["x"]), (PAYLOAD,)),
    "payloads.READ": Case((ID, HOME, "x"), ("run_uid", PAYLOAD)),
    "payloads.FORGET_STALE": Case(([1],), (PAYLOAD, STEP, DATA)),
    "news.GIVE_NEWS": Case(([1],), (RUN,)),
    "notices.NOW": Case(),
    "notices.DECIDE_ALONE": Case((1,)),
    "notices.TAKE": Case((500,), ("automation_noticecause_pkey",)),
    "notices.WATCHED": Case(([ID],), ("automation_workflow_pkey",)),
    "notices.FORGET": Case(([1],), ("automation_noticecause_pkey",)),
    "notices.REMIND": Case((100,), ("approval_expiry", RUN)),
    "notices.FACTS": Case(([1],), (RUN, DATA)),
    "notices.BELOW_NOTICES": Case({"runs": [1]}, (RUN,)),
    "notices.PLACE": Case((ID,), ("run_uid",)),
    "notices.CLAIM": Case({"lease": 1.0}, ("delivery_due",)),
    "notices.HAS_DUE": Case((), ("delivery_due",)),
    "overview.BACKLOG": Case((), ("run_ready", "run_owner", "run_wake", "run_blocked", "run_suspect")),
    "overview.BY_HOUR": Case((24,), ("run_created",)),
    "overview.FAILING": Case((24, 5), (RUN,)),
    "overview.RECENT": Case(([ID], 5), ("run_list",)),
    "overview.COUNT_SINCE": Case(([ID], 24)),
    "overview.TOTALS": Case({"workflows": [ID]}, ("run_list", "run_statistic_once")),
    "overview.TAGS": Case((5,)),
    "read_effects.SOURCES": Case({"run": 1, "writes": ["create"]}, (STEP,)),
    "read_items.BATCHES": Case({"run": 1, "loop": "loop", "after": -1, "status": "failed", "limit": 8}, (STEP,)),
    "read_items.PROGRESS": Case({"run": 1, "paths": None}, (STEP,)),
    "read_items.FOLDED_WAITS": Case((1, 50), (STEP,)),
    "read_items.ONE": Case((1, "loop"), (STEP,)),
    "read_run.HEAD": Case({"uid": ID, "workspace": HOME}, ("run_uid", DATA)),
    "read_run.STEPS": Case({"longest": 2000, "run": 1, "limit": 500}, (STEP,)),
    "read_run.LINES": Case({"run": 1, "limit": 100}, ("automation_runlog_pkey",)),
    "read_run.FIND": Case((ID, HOME), ("run_uid",)),
    "read_limits.PLACE": Case((1,), (RUN, "run_limit", "run_blocked", "run_ready")),
    "read_limits.FULLNESS": Case((["limit"],), ("run_limit", "run_blocked")),
    "read_limits.HOLDERS": Case(("limit", 50), ("run_limit",)),
    "read_limits.BLOCKED": Case(("limit", 50), ("run_blocked",)),
    "recover.DECLARE_DEAD": Case({"silent": [ID], "dead": 10.0}),
    "recover.RECOVER": Case((), ("run_owner",)),
    "recover.PRUNE": Case(),
    "recover.ORPHANS": Case((), ("run_owner",)),
    "replays.TAKE": Case((), ("replay_due",)),
    "replays.PASSED": Case({"id": ID, "started": 1, "refused": 0}),  # the key, or the list's index that holds it, too
    # any of the indexes that begin with the workspace will do
    "tags.COUNT": Case({"workspace": HOME, "after": "", "prefix": "", "limit": 50}),
    "sources.HAS_DUE": Case((), ("source_due",)),
    "sources.CLAIM": Case({"lease": 60.0}, ("source_due",)),
    "sources.HOLD": Case(LOOK | {"lease": 60.0}, (SOURCE,)),
    "sources.LOCK": Case(LOOK, (SOURCE,)),
    "sources.ADVANCE": Case(LOOK | {"cursor": "{}", "is_begun": True, "has_arrived": True}, (SOURCE,)),
    "sources.KEEP_WAITING": Case(LOOK | {"waits_for": "", "has_arrived": True}, (SOURCE,)),
    "sources.FAIL": Case(LOOK | {"message": "", "code": "", "counts": 1}, (SOURCE,)),
    "sources.RELEASE": Case(LOOK | {"seconds": 1.0}, (SOURCE,)),
    "sources.FOLLOW": Case({"id": ID, "workspace": HOME, "is_active": True, "begins_anew": True}),
    "sources.LOOK_NOW": Case(LOOK, (SOURCE,)),
    "run_bounds.BOUND": Case({"at": AT}, (RUN,)),
    "run_vars.TAKE": Case({"runs": [1], "workspaces": [HOME], "names": ["x"]}, ("variable_name", DATA)),
    "secrets.FIND": Case({"workspace": HOME, "names": ["x"]}, ("secret_name",)),
    "secrets.MARK_USED": Case({"ids": [ID], "workflow": ID}, ("automation_secret_pkey",)),
    "signals.LOCK_RUN": Case((1,), (RUN,)),
    "signals.FIND_SIGNAL": Case((1, "x", "k"), ("signal_once",)),
    "signals.COUNT_WAITING": Case((1,), (SIGNALS,)),
    "signals.PUT": Case((1, "x", None, "null")),
    "signals.FIND_CALLBACK": Case((b"x",), (CALLBACKS,)),
    "signals.USE_CALLBACK": Case((b"x",), (CALLBACKS,)),
    "signals.WHY_NOT": Case((b"x",), (CALLBACKS,)),
    "start.START": Case(NEW | {"run_is_pinned": False}, ("automation_workflow_", "run_dedupe")),
    "start.GATHERED_START": Case(NEW | {"run_is_pinned": False}, ("automation_workflow_", "run_debounce")),
    "start.START_WITH_KEPT": Case(KEPT, ("automation_workflow_pkey", STEP)),
    "state_values.GET": Case(VALUE, (VALUES,)),
    "state_values.SET": Case(VALUE, (VALUES,)),
    "state_values.SET_IF_ABSENT": Case(VALUE, (VALUES,)),
    "state_values.SET_IF_NULL": Case(VALUE, (VALUES,)),
    "state_values.SET_IF_VERSION": Case(VALUE, (VALUES,)),
    "state_values.SET_IF_EQUAL": Case(VALUE, (VALUES,)),
    "state_values.INCREMENT": Case(VALUE, (VALUES,)),
    "state_values.DELETE": Case(VALUE, (VALUES,)),
    "state_values.COUNT": Case((HOME, 10_001), (VALUES,)),
    "state_values.FORGET_EXPIRED": Case((100,), ("state_value_expiry",)),
    "tally.LOCK_MARK": Case(),
    "tally.MAKE_MARK": Case((), (RUN,)),
    "tally.HORIZON": Case(),
    "tally.COUNT": Case(STRETCH, ("run_finished", "run_tally_once")),
    "tally.MOVE_MARK": Case((AT,)),
    "tally.SPREAD": Case(STRETCH, ("run_finished", "run_tally_hour")),
    "tally.BY_TIME": Case(STRETCH | {"unit": "day"}, ("run_finished", "run_tally_hour")),
    "tally.SLOWEST": Case(STRETCH | {"most": 10}, ("run_finished", "run_tally_hour")),
    "tally.OWN_SPREAD": Case(OWN, ("run_tally_list",)),
    "tally.OWN_BY_TIME": Case(OWN | {"unit": "day"}, ("run_tally_list",)),
    "tally.OWN_BUSIEST": Case(OWN | {"most": 10}, ("run_tally_list",)),
    "tally.OWN_UNDER_WAY": Case(OWN, ("run_ready",)),
    "tally.FAILURES": Case(STRETCH | {"most": 10}, ("run_trouble|run_unsuccessful", DATA)),
    "tally.OWN_FAILURES": Case(OWN | {"most": 10}, ("run_trouble|run_unsuccessful",)),
    "tally.EVER": Case((), ("run_finished",)),
    "ticks.TAKE_TURN": Case({"name": "tick", "every": 1.0}, ("automation_tick_pkey",)),
    "transfers.TAKE": Case({"hold": 10.0}, ("transfer_due",)),
    "transfers.HOLD": Case({"id": ID, "fence": 1, "hold": 10.0, "done": 1, "total": None}, (TRANSFER,)),
    "transfers.CHUNK": Case((ID, 0), ("automation_transferchunk_pkey",)),
    "transfers.FORGET": Case({"most": 20}, ("transfer_expiry", TRANSFER, "automation_transferchunk_pkey")),
    "transfers.LOCK_FOR_TRANSACTION": Case((str(ID),)),
    "transfers.LOCK_FOR_SESSION": Case((str(ID),)),
    "transfers.UNLOCK_SESSION": Case((str(ID),)),
    "vitals.OPEN_RUNS": Case((), ("run_ready", "run_owner", "run_wake", "run_blocked", "run_suspect")),
    "vitals.QUEUES": Case((), ("run_ready",)),
    "vitals.LAST_TICK": Case((), ("automation_tick_",)),
    "vitals.SOURCES": Case(),
    "vitals.WORKERS": Case(),
    "vitals.APPROVALS_WAITING": Case((), ("approval_open", RUN)),
    "vitals.NOTICE_DELIVERIES": Case((), ("delivery_due", "delivery_age")),
    "vitals.TRANSFERS": Case((), ("transfer_due",)),
    "trigger_health.FACTS": Case(
        {"ids": [ID]},
        (
            *("automation_source_pkey", "arrival_list", "automation_firing_pkey", "schedule_alarm_once"),
            *("run_trigger", DATA),
        ),
    ),
    "trigger_health.ARRIVED": Case({"ids": [ID]}, ("arrival_list",)),
    "trigger_health.FIRED": Case({"ids": [ID]}, ("automation_firing_pkey",)),
    "wake.WAKE_DUE": Case((), ("run_wake",)),
    "wake.WAKE_GATHERED": Case((), ("run_gathered",)),
    "wake.TIME_OUT": Case((), ("run_deadline",)),
    "workers.NEIGHBOURS": Case(("host",)),
    "stream_sources.JOIN": Case({"id": ID, "workspace": HOME}, ("automation_source_pkey",)),
    "leases.TAKE": Case({"names": ["x"], "space": 1}),
    "leases.GIVE_BACK": Case({"name": "x", "space": 1}),
    "leases.STILL_THERE": Case(()),
    "workers.TRY_LOCK": Case((1, 1)),
    "workers.UNLOCK": Case((1, 1)),
    "workers.REGISTER": Case(PROCESS),
    "workers.RENAME": Case(("host/1", ID)),
    "workers.HEARTBEAT": Case({"id": ID, "busy": "[]", "silence": 5.0}, ("run_owner", "run_ready", "run_suspect")),
    "workers.SET_STATE": Case((2, ID)),
}


def plan_of(statement: str, parameters: Any) -> str:
    """The plan of a statement; sequential scans count as impossible, so that an index shows whether it fits at all."""
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("explain " + statement, parameters or None)
        return "\n".join(row[0] for row in cursor.fetchall())
