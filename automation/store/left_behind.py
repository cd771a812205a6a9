"""Steps that still waited when their run ended: cancelled in the statement that ended it, never left behind.

The statement has a table expression `moved` with the `id` and the new `status` of each run it moved. The worker's own
runs need this not: their turn writes the rows (`automation.engine.finish.left_behind`).
"""

from __future__ import annotations

LEFT_BEHIND = """
left_behind as (
  update automation_steprun s
  set status = 54, until = null, finished_at = now(),
      reason = '{"type": "run_ended", "message": "The run ended before this step did."}'
  from moved where moved.status >= 50 and s.run_id = moved.id and s.status < 50)
"""
