"""The guard of every intake statement: what a process remembers about an endpoint is still what stands here.

The endpoint, its trigger and its workflow are remembered per process, so a delivery needs no query before its one
statement. If any of it changed, the guard matches no row, nothing is stored, and the caller reads and judges anew.
"""

from __future__ import annotations

CURRENT = """
current_state as (
  select 1 from webhooks_webhookendpoint e
  join automation_trigger t on t.id = e.trigger_id
  join automation_workflow w on w.id = t.workflow_id
  where e.id = %(endpoint_id)s and e.revision = %(revision)s and t.is_active = %(trigger_is_active)s
    and (w.is_active and w.archived_at is null) = %(workflow_is_active)s
    and w.current_version_id is not distinct from %(version_id)s
)
"""
