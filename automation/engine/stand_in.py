"""A workspace in memory, for simulated runs: commands are answered without any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automation.engine.commands import (
    AskApproval,
    CallWorkflow,
    CancelCall,
    Command,
    CommandRefused,
    CompareAndSet,
    DeleteValue,
    EmitEvent,
    FindFile,
    GetValue,
    Increment,
    MakeCallback,
    ReadFilePiece,
    SetValue,
    TakeSignal,
    UseSecrets,
)
from automation.engine.secrets import Opened

Json = Any


def no_files(command: FindFile | ReadFilePiece) -> Json:
    """What `files` is where none are kept."""
    raise CommandRefused("unknown_file", f"There is no file {str(command.file_id)[:60]!r} here.")


@dataclass(slots=True)
class Workspace:
    """What commands of a simulated run find.

    `values` is the key-value store, `events` what was emitted. `decisions` are answers of approvals by path, a missing
    one is pending until it expires. `signals` are payloads by name, taken in turn. `children` answers calls by the
    name of the workflow: the fields of an ended run. `secrets` are texts by name. `files` answers what asks for files.
    """

    values: dict[str, Json] = field(default_factory=dict)
    decisions: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    signals: dict[str, list[Json]] = field(default_factory=dict)
    children: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    events: list[tuple[str, Json]] = field(default_factory=list)
    files: Callable[[Any], Json] = no_files
    versions: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Json] = field(default_factory=dict)
    opened: dict[str, float] = field(default_factory=dict)  # seconds of the clock at which a path began to ask
    expires: dict[str, float] = field(default_factory=dict)  # when kept values are forgotten

    def perform(self, path: str, command: Command, seconds: float) -> Json:
        """Answer one command of the step at `path`; `seconds` is the simulated clock."""
        act: Callable[..., Json] = ACTS[type(command)]
        self.kept(seconds)
        return act(self, path, command, seconds)

    def kept(self, seconds: float) -> dict[str, Json]:
        """What is kept at an instant; what has expired is forgotten, its versions count on."""
        for key in [key for key, at in self.expires.items() if at <= seconds]:
            del self.expires[key]
            self.values.pop(key, None)
        return self.values

    def _write(self, key: str, value: Json, expires_at: float | None = None) -> int:
        self.values[key] = value
        self.versions[key] = self.versions.get(key, 0) + 1
        self.expires.pop(key, None)
        if expires_at is not None:
            self.expires[key] = expires_at
        return self.versions[key]


def _get(workspace: Workspace, _path: str, command: GetValue, _seconds: float) -> Json:
    exists = command.key in workspace.values
    version = workspace.versions.get(command.key, 1 if exists else 0)
    return {"value": workspace.values.get(command.key), "version": version if exists else 0, "exists": exists}


def _set(workspace: Workspace, _path: str, command: SetValue, seconds: float) -> Json:
    version = workspace.versions.get(command.key, 0) if command.key in workspace.values else 0
    expires_at = None if command.expires_seconds is None else seconds + command.expires_seconds
    if command.expected_version is not None and command.expected_version != version:
        return {"value": workspace.values.get(command.key), "version": version, "is_set": False}
    return {"value": command.value, "version": workspace._write(command.key, command.value, expires_at), "is_set": True}


def _compare(workspace: Workspace, _path: str, command: CompareAndSet, _seconds: float) -> Json:
    if workspace.values.get(command.key) != command.expected:
        version = workspace.versions.get(command.key, 0)
        return {"value": workspace.values.get(command.key), "version": version, "is_set": False}
    return {"value": command.value, "version": workspace._write(command.key, command.value), "is_set": True}


def _increment(workspace: Workspace, _path: str, command: Increment, _seconds: float) -> Json:
    value = workspace.values.get(command.key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandRefused("not_a_number", f"The key {command.key!r} holds no number, so nothing can be added to it.")
    value += command.by
    return {"value": value, "version": workspace._write(command.key, value, workspace.expires.get(command.key))}


def _delete(workspace: Workspace, _path: str, command: DeleteValue, _seconds: float) -> Json:
    existed = command.key in workspace.values
    workspace.values.pop(command.key, None)
    workspace.versions.pop(command.key, None)
    workspace.expires.pop(command.key, None)
    return {"existed": existed}


def _emit(workspace: Workspace, _path: str, command: EmitEvent, _seconds: float) -> Json:
    workspace.events.append((command.name, command.payload))
    return {"event_id": f"event-{len(workspace.events)}"}


def _call(workspace: Workspace, _path: str, command: CallWorkflow, _seconds: float) -> Json:
    ended = {"run": command.workflow, "status": "succeeded", "output": None, "error": None, "is_final": True}
    return ended | dict(workspace.children.get(command.workflow, {}))


def _ask(workspace: Workspace, path: str, command: AskApproval, seconds: float) -> Json:
    expires_at = _end(workspace, path, command.expires_seconds, seconds)
    answer: dict[str, Json] = {
        "id": path,
        "state": "pending",
        "decided_by": None,
        "comment": "",
        "data": None,
        "votes": [],
    }
    if path in workspace.decisions:
        answer |= workspace.decisions[path]
    elif expires_at is not None and seconds >= expires_at:
        answer["state"] = "expired"
    return {**answer, "expires_at": _instant(expires_at)}


def _take(workspace: Workspace, path: str, command: TakeSignal, seconds: float) -> Json:
    until = _end(workspace, path, command.timeout_seconds, seconds)
    waiting = workspace.signals.get(command.name)
    if path not in workspace.taken and waiting:
        workspace.taken[path] = waiting.pop(0)
    url = f"callback:{path}" if command.with_url else None
    if path in workspace.taken:
        return {"state": "received", "payload": workspace.taken[path], "key": None, "url": url}
    if until is not None and seconds >= until:
        return {"state": "timed_out", "url": url}
    return {"state": "waiting", "until": _instant(until), "url": url}


def _callback(_workspace: Workspace, path: str, _command: MakeCallback, _seconds: float) -> Json:
    return {"url": f"callback:{path}", "expires_at": None}


def _end(workspace: Workspace, path: str, length: float | None, seconds: float) -> float | None:
    began = workspace.opened.setdefault(path, seconds)
    return None if length is None else began + length


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _open(workspace: Workspace, _path: str, command: UseSecrets, _seconds: float) -> Json:
    lost = [name for name in command.names if name not in workspace.secrets]
    if lost:
        raise CommandRefused("unknown_secret", f"This workspace has no secret {lost[0]!r}. Create it, then retry.")
    values = {name: workspace.secrets[name] for name in command.names}
    return Opened(values, lambda value: _without(value, tuple(workspace.secrets.values())))


def _without(value: Json, secrets: tuple[str, ...]) -> Json:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "•••")
    if isinstance(value, dict):
        return {key: _without(inner, secrets) for key, inner in value.items()}
    return [_without(inner, secrets) for inner in value] if isinstance(value, list) else value


ACTS: Mapping[type[Command], Callable[..., Json]] = {
    UseSecrets: _open,
    GetValue: _get,
    SetValue: _set,
    CompareAndSet: _compare,
    Increment: _increment,
    DeleteValue: _delete,
    EmitEvent: _emit,
    FindFile: lambda workspace, _path, command, _seconds: workspace.files(command),
    ReadFilePiece: lambda workspace, _path, command, _seconds: workspace.files(command),
    CallWorkflow: _call,
    CancelCall: lambda *_around: None,
    AskApproval: _ask,
    TakeSignal: _take,
    MakeCallback: _callback,
}
