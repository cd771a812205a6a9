"""The piece of SQL that inserts a run, and its variants: for a large input, and for a start that is gathered."""

from __future__ import annotations

ONCE = "on conflict (workflow_id, dedupe_key) where dedupe_key is not null do nothing"
SMALL_DATA = """
), new_data as (
  insert into automation_rundata (run_id, input) select id, %(run_input)s::jsonb from new_run
)
"""
# A piece other statements embed, executed by `insert`: parameters are prefixed run_ and named.
NEW_RUN = (
    """
new_run as (
  insert into automation_run (workspace_id, workflow_id, version_id, trigger_id, created_by_id, mode, queue, priority,
                              dedupe_key, parent_run_id, deadline_at, called_by_run_id, called_by_path, is_detached,
                              depth, calls_on_failure, status, limit_key, debounce_key, wake_at)
  select %(run_workspace_id)s, %(run_workflow_id)s, %(run_version_id)s, %(run_trigger_id)s, %(run_created_by_id)s,
         %(run_mode)s, %(run_queue)s, %(run_priority)s, %(run_dedupe_key)s, %(run_parent_run_id)s,
         now() + make_interval(secs => %(run_deadline_seconds)s),
         %(run_called_by_run_id)s, %(run_called_by_path)s, %(run_is_detached)s, %(run_depth)s, %(run_calls_on_failure)s,
         %(run_status)s, %(run_limit_key)s, %(run_debounce_key)s,
         now() + make_interval(secs => %(run_gather_seconds)s)
  {guard}
"""
    + ONCE
    + """
  returning id, uid
"""
    + SMALL_DATA
)
# Instead of SMALL_DATA, for an input too large for its row.
LARGE_DATA = """
), new_data as (
  insert into automation_rundata (run_id, input, input_ref)
  select id, %(run_input)s::jsonb, %(run_input_ref)s from new_run
), new_payload as (
  insert into automation_payload (run_id, sha256, size, codec, data)
  select id, %(run_input_ref)s, %(run_input_size)s, 'zlib', %(run_input_data)s from new_run
)
"""

# After SMALL_DATA, for an input that refers to files: the run takes hold of those that its workspace has. The lock
# keeps the sweep away from them until the commit.
FILES = """, new_files as materialized (
  select id from automation_storedfile where id = any(%(run_files)s) and workspace_id = %(run_workspace_id)s
  order by id for key share
), used_files as (
  insert into automation_fileuse (run_id, file_id) select n.id, f.id from new_run n, new_files f on conflict do nothing
), kept_files as (
  update automation_storedfile s set expires_at = null from new_run n, new_files f
  where s.id = f.id and s.expires_at is not null
)
"""

# Instead of ONCE, for a start that is taken together with others: what came last counts, and postpones the run.
GATHER = """on conflict (debounce_key) where status = 15 and debounce_key is not null do update
  set version_id = excluded.version_id, trigger_id = excluded.trigger_id, created_by_id = excluded.created_by_id,
      mode = excluded.mode, queue = excluded.queue, priority = excluded.priority, limit_key = excluded.limit_key,
      deadline_at = excluded.deadline_at, calls_on_failure = excluded.calls_on_failure,
      wake_at = least(
        excluded.wake_at, automation_run.created_at + make_interval(secs => %(run_longest_gather_seconds)s))"""
GATHER_SMALL = SMALL_DATA.replace(
    "from new_run", "from new_run on conflict (run_id) do update set input = excluded.input, input_ref = null"
)
GATHER_LARGE = LARGE_DATA.replace(
    "%(run_input_ref)s from new_run\n",
    """%(run_input_ref)s from new_run
  on conflict (run_id) do update set input = excluded.input, input_ref = excluded.input_ref
""",
).replace("%(run_input_data)s from new_run\n", "%(run_input_data)s from new_run on conflict do nothing\n")

# their types, for prepared statements (`store/prepared.py`)
RUN_TYPES = {
    **dict.fromkeys(("run_workspace_id", "run_workflow_id", "run_version_id", "run_trigger_id"), "uuid"),
    "run_created_by_id": "uuid",
    **dict.fromkeys(("run_mode", "run_priority", "run_depth", "run_status"), "smallint"),
    **dict.fromkeys(("run_queue", "run_dedupe_key", "run_input", "run_called_by_path"), "text"),
    **dict.fromkeys(("run_limit_key", "run_debounce_key"), "text"),
    **dict.fromkeys(("run_deadline_seconds", "run_gather_seconds"), "float8"),
    **dict.fromkeys(("run_parent_run_id", "run_called_by_run_id"), "bigint"),
    **dict.fromkeys(("run_is_detached", "run_calls_on_failure"), "boolean"),
}


def large(statement: str) -> str:
    """The variant of a statement with NEW_RUN that keeps the input as a payload."""
    return statement.replace(SMALL_DATA, LARGE_DATA)


def with_files(statement: str) -> str:
    """The variant of a statement with NEW_RUN whose input refers to the files `%(run_files)s`."""
    return statement.replace(SMALL_DATA, SMALL_DATA + FILES)


def gathered(statement: str) -> str:
    """The variant of a statement with NEW_RUN whose run takes the place of the one that gathers starts already."""
    return statement.replace(ONCE, GATHER).replace(SMALL_DATA, GATHER_SMALL).replace(LARGE_DATA, GATHER_LARGE)
