"""Read the rows that hold the items of loops: one a batch, at the path `loop[0-99]`, items folded in its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from automation.store.payloads import whole

TOTAL = "items"
CHUNK = 8  # batches read at once: a page of items seldom needs more than one

# What follows the loop's path is nothing but the range. A batch that stands beside its row is always looked into.
BATCHES = r"""
select b.path, b.last, b.output::text, b.output_ref
from (select s.path, s.output, s.output_ref, substring(s.path from '\[(\d+)-\d+\]$')::bigint as first,
             substring(s.path from '\[\d+-(\d+)\]$')::bigint as last
      from automation_steprun s
      where s.run_id = %(run)s and s.kind = 'for_each.batch' and starts_with(s.path, %(loop)s || '[')
        and substr(s.path, length(%(loop)s) + 1) ~ '^\[\d+-\d+\]$') b
where b.last > %(after)s and (%(status)s::text is null or b.output_ref is not null or jsonb_path_exists(
  b.output, '$.items[*].status ? (@ == $wanted)', jsonb_build_object('wanted', %(status)s::text)))
order by b.first limit %(limit)s
"""

# How far the loops of a run are: a line for each batch and status, and one for each open loop with its total. What
# stands beside its row is not counted here.
PROGRESS = r"""
select s.path, s.output_ref, i.item ->> 'status', count(*)
from automation_steprun s
left join lateral jsonb_array_elements(case when s.output_ref is null then s.output -> 'items' end) i(item) on true
where s.run_id = %(run)s and s.kind = 'for_each.batch'
  and (%(paths)s::text[] is null or s.path = any(%(paths)s::text[]))
group by 1, 2, 3
union all
select path, output_ref, 'items', case when output_ref is null then jsonb_array_length(output -> 'items') end
from automation_steprun
where run_id = %(run)s and kind = 'for_each' and status = 8 and %(paths)s::text[] is null
"""

# Steps that wait inside the items under way, and inside the passes of `while` loops.
FOLDED_WAITS = """
select e ->> 'path', e ->> 'status', (e -> 'reason')::text, (e -> 'error')::text, (e ->> 'until')::timestamptz,
       (e ->> 'attempt')::int
from automation_steprun s
cross join lateral (
  select i.item -> 'steps' as steps
  from jsonb_array_elements(case when s.kind = 'for_each.batch' and s.output_ref is null then s.output -> 'items' end)
  as i(item)
  union all select s.output -> 'steps' where s.kind = 'while') n
cross join lateral jsonb_array_elements(n.steps) e
where s.run_id = %s and s.status = 8 and s.kind in ('for_each.batch', 'while') and e ->> 'status' in
  ('waiting', 'retrying')
order by s.path, 1 limit %s
"""

ONE = "select kind, status, output, output_ref from automation_steprun where run_id = %s and path = %s"


@dataclass(frozen=True, slots=True)
class Batch:
    """The items of one row, as they are folded: `{"index", "label", "status", "attempt", …}`. `last` is its end."""

    path: str
    last: int
    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items of a batch have a status; under TOTAL how many an open loop has.

    `ref` names the payload in which a value stands that is too large for its row: that is not counted.
    """

    path: str
    ref: str | None
    status: str | None
    count: int | None


def read_batches(cursor: Any, run_id: int, loop: str, *, after: int = -1, status: str | None = None) -> list[Batch]:
    """The next batches of the loop at this path with items behind index `after`, in order.

    With `status` only those that may hold an item in it.
    """
    cursor.execute(BATCHES, {"run": run_id, "loop": loop, "after": after, "status": status, "limit": CHUNK})
    rows = cursor.fetchall()
    return [Batch(path, last, _items(cursor, run_id, output, ref)) for path, last, output, ref in rows]


def read_progress(cursor: Any, run_id: int, *, paths: list[str] | None = None) -> list[Counted]:
    """The counts of all batches of a run, or of these."""
    cursor.execute(PROGRESS, {"run": run_id, "paths": paths})
    return [Counted(*row) for row in cursor.fetchall()]


def read_one(cursor: Any, run_id: int, path: str) -> tuple[str, int, Any] | None:
    """`(kind, status, whole output)` of one row; None when there is none."""
    cursor.execute(ONE, (run_id, path))
    row = cursor.fetchone()
    if row is None:
        return None
    kind, status, output, ref = row
    return kind, status, whole(cursor, run_id, _parsed(output), ref)


def items_in(cursor: Any, run_id: int, ref: str) -> list[Any]:
    """The items in a payload: those of a batch, or what a loop was given."""
    return _items(cursor, run_id, None, ref)


def read_folded_waits(cursor: Any, run_id: int, *, limit: int) -> list[tuple[Any, ...]]:
    """`(path, status word, reason, error, until, attempt)` of steps that wait inside loops; JSON as text."""
    cursor.execute(FOLDED_WAITS, (run_id, limit))
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _items(cursor: Any, run_id: int, output: str | None, ref: str | None) -> list[Any]:
    value = whole(cursor, run_id, None if output is None else orjson.loads(output), ref)
    return list(value["items"]) if isinstance(value, dict) and "items" in value else []


def _parsed(value: Any) -> Any:
    """A jsonb column: Django's cursor gives its text."""
    return orjson.loads(value) if isinstance(value, str) else value
