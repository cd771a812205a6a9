"""The variables of runs: taken once, when a run first begins, and the same for all its life.

A run may wait for days and go on anywhere; what it decided by a variable must not be judged by another value later. So
the values that its workflow reads are copied beside its input at its first claim. A retry is a run of its own and
begins with the variables of its day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from automation.store.connection import Connection

# Both halves see the rows as they were before: what is taken now comes from `taken`, what was taken before from below.
TAKE = """
with wanted (run_id, workspace_id, name) as (
  select * from unnest(%(runs)s::bigint[], %(workspaces)s::uuid[], %(names)s::text[])),
found as (
  select w.run_id, coalesce(jsonb_object_agg(v.name, v.value) filter (where v.name is not null), '{}') as vars
  from wanted w left join automation_variable v on v.workspace_id = w.workspace_id and v.name = w.name
  group by w.run_id),
taken as (
  update automation_rundata d set vars = found.vars from found where d.run_id = found.run_id and d.vars is null
  returning d.run_id, d.vars)
select run_id, vars::text from taken
union all
select d.run_id, d.vars::text from automation_rundata d where d.run_id in (select run_id from found)
  and d.vars is not null
"""

Json = Any


def take_vars(connection: Connection, readers: Mapping[int, tuple[Any, tuple[str, ...]]]) -> dict[int, dict[str, Json]]:
    """The variables of claimed runs that read some: `{run id: (workspace id, names)}` to `{run id: {name: value}}`."""
    wanted = [(run_id, workspace, name) for run_id, (workspace, names) in readers.items() for name in names]
    if not wanted:
        return {}
    runs, workspaces, names = zip(*wanted, strict=True)
    given = {"runs": list(runs), "workspaces": list(workspaces), "names": list(names)}
    return {run_id: orjson.loads(text) for run_id, text in connection.rows(TAKE, given)}
