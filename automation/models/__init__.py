"""Fields, constraints and small properties. Rules live in services, hot statements in store."""

from automation.models.approval import Approval, ApprovalKind, ApprovalState, ApprovalVote
from automation.models.arrival import Arrival, ArrivalDecision
from automation.models.event_bus import EventDelivery, EventDeliveryState, EventWish, QueuedEvent
from automation.models.file import FileChunk, FileUse, StoredFile
from automation.models.firing import Firing
from automation.models.idempotency import IdempotencyKey
from automation.models.limit import Limit
from automation.models.notice import NoticeChannel, NoticeMute, NoticeRule, NoticeScope
from automation.models.notice_delivery import DeliveryState, NoticeDelivery
from automation.models.notice_state import NoticeCause, NoticeState
from automation.models.payload import Payload
from automation.models.planned_slot import PlannedSlot
from automation.models.replay import Replay, ReplayItem, ReplayState
from automation.models.run import Run, RunData, RunMode
from automation.models.run_log import RunLog
from automation.models.run_statistic import RunStatistic
from automation.models.run_tally import RunTally, TallyMark
from automation.models.schedule_alarm import AlarmKind, ScheduleAlarm
from automation.models.secret import Secret
from automation.models.signal import Callback, Signal
from automation.models.source import Source
from automation.models.state import Event, LocalEffect, StateValue
from automation.models.step_run import StepRun
from automation.models.storage_use import StorageUse
from automation.models.tick import Tick
from automation.models.transfer import Direction, Transfer, TransferChunk, TransferItem, TransferState
from automation.models.trigger import Trigger
from automation.models.variable import Variable
from automation.models.version import WorkflowVersion
from automation.models.worker import Worker, WorkerState
from automation.models.workflow import Workflow

__all__ = [
    "AlarmKind",
    "Approval",
    "ApprovalKind",
    "ApprovalState",
    "ApprovalVote",
    "Arrival",
    "ArrivalDecision",
    "Callback",
    "DeliveryState",
    "Direction",
    "Event",
    "EventDelivery",
    "EventDeliveryState",
    "EventWish",
    "FileChunk",
    "FileUse",
    "Firing",
    "IdempotencyKey",
    "Limit",
    "LocalEffect",
    "NoticeCause",
    "NoticeChannel",
    "NoticeDelivery",
    "NoticeMute",
    "NoticeRule",
    "NoticeScope",
    "NoticeState",
    "Payload",
    "PlannedSlot",
    "QueuedEvent",
    "Replay",
    "ReplayItem",
    "ReplayState",
    "Run",
    "RunData",
    "RunLog",
    "RunMode",
    "RunStatistic",
    "RunTally",
    "ScheduleAlarm",
    "Secret",
    "Signal",
    "Source",
    "StateValue",
    "StepRun",
    "StorageUse",
    "StoredFile",
    "TallyMark",
    "Tick",
    "Transfer",
    "TransferChunk",
    "TransferItem",
    "TransferState",
    "Trigger",
    "Variable",
    "Worker",
    "WorkerState",
    "Workflow",
    "WorkflowVersion",
]
