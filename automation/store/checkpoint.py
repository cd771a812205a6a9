"""Checkpoint: steps, logs, parks and finishes of many runs in one fenced statement.

Trap: locking and updating the same row in one statement makes PostgreSQL skip the lock row. So the set of
runs that move (`moved`, updated) and the set of runs that only write steps (`held`, locked) are disjoint on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.engine.kinds import LogLine
from automation.engine.results import StepResult
from automation.store.connection import Connection
from automation.store.payloads import FORGET_STALE, Texts
from automation.store.prepared import PreparedStatement

# A cancel that was asked for wins over success, parking and re-queueing, in the same statement that would have
# moved the run: a cancelled run never finishes as succeeded. Written out wherever it is needed: a lateral subquery
# may not look at the updated row, and a join would look at it before the lock.
# A crash suspect that is handed back stays in the isolation lane.
TO = """(case when r.cancel_requested_at is not null and m.status in (10, 18, 30, 50) then 52
  when m.status = 30 and r.signals > m.signals then case when r.crashes >= 2 then 18 else 10 end
  when m.status = 10 and r.crashes >= 2 then 18 else m.status end)"""

# A final step row never changes.
CHECKPOINT = """
with {refs}m as materialized (
  select * from unnest(%(m_run)s::bigint[], %(m_claim)s::uuid[], %(m_status)s::smallint[], %(m_wait)s::float8[],
                       %(m_kind)s::smallint[], %(m_output)s::text[], %(m_error)s::text[], %(m_response)s::text[],
                       %(m_signals)s::integer[])
  as m(run_id, claim, status, wait_seconds, wait_kind, output, error, response, signals)),
moved as (
  update automation_run r
  set status = {to}, worker_id = null, claim = null,
      wake_at = case when {to} = 30 then now() + make_interval(secs => m.wait_seconds) end,
      wait_kind = case when {to} = 30 then m.wait_kind end,
      finished_at = case when {to} >= 50 then now() end,
      finishes = r.finishes + case when {to} >= 50 then 1 else 0 end
  from m
  where m.status > 0 and r.id = m.run_id and r.claim = m.claim and r.status = 20
  returning r.id, r.status),
held as (
  select r.id from automation_run r join m on r.id = m.run_id and r.claim = m.claim and m.status = 0
  where r.status = 20 for no key update of r),
fence as (select id, status from moved union all select id, 20::smallint from held),
ended as (
  update automation_rundata d
  set output = case when f.status = 50 then m.output::jsonb end, error = m.error::jsonb,
      response = coalesce(d.response, m.response::jsonb), output_ref = case when f.status = 50 then {run_ref} end
  from m join fence f on f.id = m.run_id
  where d.run_id = m.run_id and (m.status >= 50 or m.response is not null)),
steps as (
  insert into automation_steprun as s (run_id, path, kind, status, attempt, port, output, reason, error, until,
                                       started_at, finished_at, effect, output_ref)
  select u.run_id, u.path, u.kind, u.status, u.attempt, u.port, u.output::jsonb, u.reason::jsonb, u.error::jsonb,
         to_timestamp(u.until), to_timestamp(u.started_at), to_timestamp(u.finished_at), u.effect,
         {step_ref}
  from unnest(%(s_run)s::bigint[], %(s_path)s::text[], %(s_kind)s::text[], %(s_status)s::smallint[],
              %(s_attempt)s::smallint[], %(s_port)s::text[], %(s_output)s::text[], %(s_reason)s::text[],
              %(s_error)s::text[], %(s_until)s::float8[], %(s_started)s::float8[], %(s_finished)s::float8[],
              %(s_effect)s::text[])
  as u(run_id, path, kind, status, attempt, port, output, reason, error, until, started_at, finished_at, effect)
  join fence f on f.id = u.run_id
  on conflict (run_id, path) do update
  set status = excluded.status, attempt = excluded.attempt, port = excluded.port, output = excluded.output,
      reason = excluded.reason, error = excluded.error, until = excluded.until,
      started_at = coalesce(s.started_at, excluded.started_at), finished_at = excluded.finished_at,
      effect = excluded.effect, output_ref = excluded.output_ref, is_kept = false
  where s.status < 50)
{logs}{payloads}
select id, status from fence
"""

# Most checkpoints carry no log line: they are spared the planning and execution of this part.
LOGS = """, lines as (
  insert into automation_runlog (run_id, seq, path, attempt, at, level, message, fields)
  select u.run_id, u.seq, u.path, u.attempt, to_timestamp(u.at), u.level, u.message, u.fields::jsonb
  from unnest(%(l_run)s::bigint[], %(l_seq)s::bigint[], %(l_path)s::text[], %(l_attempt)s::smallint[],
              %(l_at)s::float8[], %(l_level)s::text[], %(l_message)s::text[], %(l_fields)s::text[])
  as u(run_id, seq, path, attempt, at, level, message, fields) join fence f on f.id = u.run_id
  on conflict do nothing)
"""

# Large values come apart from the rows that refer to them; `path` is empty for the output of the run itself.
REFS = """refs as materialized (
  select * from unnest(%(r_run)s::bigint[], %(r_path)s::text[], %(r_ref)s::text[]) as refs(run_id, path, ref)),
"""
REF = "(select refs.ref from refs where refs.run_id = {run} and refs.path = {path})"
PAYLOADS = """, payloads as (
  insert into automation_payload (run_id, sha256, size, codec, data)
  select u.run_id, u.sha256, u.size, 'zlib', u.data
  from unnest(%(p_run)s::bigint[], %(p_sha256)s::text[], %(p_size)s::integer[], %(p_data)s::bytea[])
  as u(run_id, sha256, size, data) join fence f on f.id = u.run_id
  on conflict do nothing)
"""

_SMALL = {"to": TO, "refs": "", "run_ref": "null", "step_ref": "null", "payloads": ""}
WITHOUT_LOGS = CHECKPOINT.format(**_SMALL, logs="")
WITH_LOGS = CHECKPOINT.format(**_SMALL, logs=LOGS)
WITH_PAYLOADS = CHECKPOINT.format(
    to=TO,
    refs=REFS,
    run_ref=REF.format(run="d.run_id", path="''"),
    step_ref=REF.format(run="u.run_id", path="u.path"),
    logs=LOGS,
    payloads=PAYLOADS,
)
_TYPES = dict(re.findall(r"%\((\w+)\)s::([a-z0-9]+\[\])", WITH_LOGS))
_PREPARED = PreparedStatement("checkpoint", WITHOUT_LOGS, _TYPES)
_PREPARED_WITH_LOGS = PreparedStatement("checkpoint_logs", WITH_LOGS, _TYPES)


@dataclass(frozen=True, slots=True)
class Line:
    """A log line with its place in the run. `at` is seconds since the epoch."""

    seq: int
    path: str
    attempt: int
    at: float
    line: LogLine


@dataclass(frozen=True, slots=True)
class Move:
    """Where the run goes. `status` is a RunStatus; the next three are for WAITING only.

    `wait_seconds` None waits for news alone. `signals` is the news its claim saw: when there is more, it is queued.
    """

    status: int
    wait_seconds: float | None = None
    wait_kind: int | None = None
    output: Any = None
    error: Any = None
    signals: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One run's share of a checkpoint. Without `move` it only records steps and proves the claim.

    `limit_key` and `called_by` say who is interested in the run's end; `seconds` is how long it took, where it ends.
    """

    run_id: int
    claim: UUID
    steps: Sequence[StepResult] = ()
    lines: Sequence[Line] = ()
    move: Move | None = None
    response: Any = None
    limit_key: str | None = None
    called_by: int | None = None
    seconds: float | None = None


def texts_of(entry: Entry) -> Texts:
    """The values of an entry as JSON texts. Raises TypeError, ValueError for what is no JSON."""
    values = [(step.kind, step.output) for step in entry.steps]
    values.append(("", entry.move.output if entry.move else None))
    return Texts(values, entry.response)


def write_checkpoint(
    connection: Connection, entries: Sequence[Entry], texts: Sequence[Texts] | None = None
) -> dict[int, int]:
    """Write `entries` (at most one per run) and return `{run id: status now}` of those whose claim still holds.

    A run missing from the answer was taken away from this process: its result must be dropped. Safe to repeat
    after a lost answer: the steps are upserts, and a move that was applied is no longer matched by its claim.
    `texts` are those of the entries, where the caller made them already. With large values among them this is one
    transaction of two statements, both fenced.
    """
    if texts is None:
        texts = [texts_of(entry) for entry in entries]
    has_lines = any(entry.lines for entry in entries)
    parameters = _moves(entries, texts) | _steps(entries, texts)
    if any(one.payloads for one in texts):
        parameters |= _lines(entries) | _payloads(entries, texts)
        return connection.transaction(lambda cursor: _write_large(cursor, parameters))
    if has_lines:
        parameters |= _lines(entries)
    return dict(connection.prepared(_PREPARED_WITH_LOGS if has_lines else _PREPARED, parameters))


def _write_large(cursor: Any, parameters: dict[str, Any]) -> dict[int, int]:
    cursor.execute(WITH_PAYLOADS, parameters)
    standing: dict[int, int] = dict(cursor.fetchall())
    cursor.execute(FORGET_STALE, (list(standing),))
    return standing


def dumps(value: Any) -> str | None:
    """A value as JSON text, None for null: a SQL null is smaller and reads the same."""
    return None if value is None else orjson.dumps(value).decode()


def _moves(entries: Sequence[Entry], texts: Sequence[Texts]) -> dict[str, list[Any]]:
    moves = [entry.move for entry in entries]
    return {
        "m_run": [entry.run_id for entry in entries],
        "m_claim": [entry.claim for entry in entries],
        "m_status": [move.status if move else 0 for move in moves],
        "m_wait": [move.wait_seconds if move else None for move in moves],
        "m_kind": [move.wait_kind if move else None for move in moves],
        "m_output": [one.values[-1] for one in texts],
        "m_error": [dumps(move.error) if move else None for move in moves],
        "m_response": [one.response for one in texts],
        "m_signals": [move.signals if move else None for move in moves],
    }


def _steps(entries: Sequence[Entry], texts: Sequence[Texts]) -> dict[str, list[Any]]:
    pairs = [(entry.run_id, step) for entry in entries for step in entry.steps]
    steps = [step for _, step in pairs]
    return {
        "s_run": [run_id for run_id, _ in pairs],
        "s_path": [step.path for step in steps],
        "s_kind": [step.kind for step in steps],
        "s_status": [int(step.status) for step in steps],
        "s_attempt": [step.attempt for step in steps],
        "s_port": [step.port for step in steps],
        "s_output": [text for one in texts for text in one.values[:-1]],
        "s_reason": [dumps(step.reason) for step in steps],
        "s_error": [dumps(step.error) for step in steps],
        "s_until": [step.until.timestamp() if step.until else None for step in steps],
        "s_started": [step.started_at.timestamp() if step.started_at else None for step in steps],
        "s_finished": [step.finished_at.timestamp() if step.finished_at else None for step in steps],
        "s_effect": [step.effect for step in steps],
    }


def _payloads(entries: Sequence[Entry], texts: Sequence[Texts]) -> dict[str, list[Any]]:
    refs = [
        (entry.run_id, entry.steps[place].path if place < len(entry.steps) else "", ref)
        for entry, one in zip(entries, texts, strict=True)
        for place, ref in one.refs.items()
    ]
    kept = [
        (entry.run_id, payload) for entry, one in zip(entries, texts, strict=True) for payload in one.payloads.values()
    ]
    return {
        "r_run": [run_id for run_id, _, _ in refs],
        "r_path": [path for _, path, _ in refs],
        "r_ref": [ref for _, _, ref in refs],
        "p_run": [run_id for run_id, _ in kept],
        "p_sha256": [payload.sha256 for _, payload in kept],
        "p_size": [payload.size for _, payload in kept],
        "p_data": [payload.data for _, payload in kept],
    }


def _lines(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    pairs = [(entry.run_id, line) for entry in entries for line in entry.lines]
    lines = [line for _, line in pairs]
    return {
        "l_run": [run_id for run_id, _ in pairs],
        "l_seq": [line.seq for line in lines],
        "l_path": [line.path for line in lines],
        "l_attempt": [line.attempt for line in lines],
        "l_at": [line.at for line in lines],
        "l_level": [line.line.level for line in lines],
        "l_message": [line.line.message for line in lines],
        "l_fields": [dumps(dict(line.line.fields)) if line.line.fields else None for line in lines],
    }
