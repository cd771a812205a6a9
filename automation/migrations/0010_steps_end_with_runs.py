"""No step outlives its run, whoever ends it: a worker, a cancel that won over its checkpoint, a recovery, the tick."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# A run that succeeded has no such rows: its turn ended them with the same checkpoint. A mark without a result stays
# what it is: nobody knows whether the effect happened.
STEPS = """
create function automation_end_steps() returns trigger language plpgsql as $$
begin
  update automation_steprun s
  set status = case s.status when 5 then 53 else 54 end, until = null, finished_at = now(),
      reason = case when s.status <> 5 then
        '{"type": "run_ended", "message": "The run ended before this step did."}'::jsonb end,
      error = case when s.status <> 5 then s.error else jsonb_build_object(
        'type', 'unknown_outcome', 'class', 'internal', 'step', s.path, 'attempt', s.attempt, 'message',
        'The run ended during this step; nobody knows whether its effect happened. Look at the target.') end
  where s.run_id = new.id and s.status < 50;
  return null;
end $$;
create trigger run_ends_steps after update on automation_run
for each row when (old.status < 50 and new.status in (51, 52, 53))
execute function automation_end_steps();
"""
REMOVE_STEPS = """
drop trigger run_ends_steps on automation_run;
drop function automation_end_steps();
"""

# As in 0004, without the steps: each child's own end sees to them now.
CHILDREN = """
create or replace function automation_end_children() returns trigger language plpgsql as $$
begin
  update automation_run r
  set status = case when r.status = 20 then 20 else 52 end,
      finished_at = case when r.status = 20 then null else now() end,
      finishes = r.finishes + case when r.status = 20 then 0 else 1 end,
      cancel_requested_at = coalesce(r.cancel_requested_at, now()),
      wake_at = null, wait_kind = null, wait_key = null
  where r.called_by_run_id = new.id and not r.is_detached and r.status < 50;
  return null;
end $$;
"""


class Migration(migrations.Migration):
    """Raw SQL."""

    dependencies: ClassVar = [("automation", "0009_event_age")]
    operations: ClassVar = [
        migrations.RunSQL(STEPS, REMOVE_STEPS),
        migrations.RunSQL(CHILDREN, migrations.RunSQL.noop),
    ]
