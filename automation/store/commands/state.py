"""What steps do with the workspace's key-value store and its events."""

from __future__ import annotations

from typing import Any

from automation.engine.cloud_events import CloudEvent
from automation.engine.commands import CompareAndSet, DeleteValue, EmitEvent, GetValue, Increment, SetValue
from automation.store import bell, events, state_values
from automation.store.commands import CommandContext
from automation.store.state_values import Key, Value

Json = Any


def _get(cursor: Any, context: CommandContext, command: GetValue) -> Json:
    found = state_values.get_value(cursor, _key(context, command.key))
    return {"exists": found is not None, **_shown(found)}


def _set(cursor: Any, context: CommandContext, command: SetValue) -> Json:
    key = _key(context, command.key)
    written = state_values.set_value(
        cursor, key, command.value, expected_version=command.expected_version, expires_seconds=command.expires_seconds
    )
    return _outcome(cursor, key, written)


def _compare_and_set(cursor: Any, context: CommandContext, command: CompareAndSet) -> Json:
    key = _key(context, command.key)
    return _outcome(cursor, key, state_values.compare_and_set(cursor, key, command.expected, command.value))


def _increment(cursor: Any, context: CommandContext, command: Increment) -> Json:
    return _shown(state_values.increment(cursor, _key(context, command.key), command.by))


def _delete(cursor: Any, context: CommandContext, command: DeleteValue) -> Json:
    return {"existed": state_values.delete_value(cursor, _key(context, command.key))}


def _emit(cursor: Any, context: CommandContext, command: EmitEvent) -> Json:
    event = CloudEvent(
        type=command.name,
        source=events.source_of(context.workflow_id),
        subject=command.subject,
        data=command.payload,
    )
    published = events.emit_event(cursor, context.workspace_id, event, run_id=context.run_id, path=context.path)
    if published.is_heard:
        context.after.append(bell.ring_for_events)
    return {"event_id": str(published.id)}


def _key(context: CommandContext, name: str) -> Key:
    return Key(context.workspace_id, name)


def _outcome(cursor: Any, key: Key, written: Value | None) -> Json:
    """What was written; else what stands there instead."""
    return {"is_set": written is not None, **_shown(written or state_values.get_value(cursor, key))}


def _shown(value: Value | None) -> dict[str, Json]:
    return {"value": value.value, "version": value.version} if value else {"value": None, "version": 0}


HANDLERS = {
    GetValue: _get,
    SetValue: _set,
    CompareAndSet: _compare_and_set,
    Increment: _increment,
    DeleteValue: _delete,
    EmitEvent: _emit,
}
POLLS = frozenset({GetValue})
