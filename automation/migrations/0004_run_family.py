"""What ties calling and called runs together whoever ends them: a worker, a person, the tick or a recovery."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# The end of a called run is news for its caller, in the same transaction. A caller that is about to park sees the
# higher count of signals under its row lock and does not (store/checkpoint.py).
NEWS = """
create function automation_child_ended() returns trigger language plpgsql as $$
begin
  update automation_run r
  set signals = r.signals + 1,
      status = case when r.status <> 30 then r.status when r.crashes >= 2 then 18 else 10 end,
      wake_at = case when r.status <> 30 then r.wake_at end,
      wait_kind = case when r.status <> 30 then r.wait_kind end,
      wait_key = case when r.status <> 30 then r.wait_key end
  where r.id = new.called_by_run_id and r.status < 50;
  return null;
end $$;
create trigger run_child_ended after update on automation_run
for each row when (
  old.status < 50 and new.status >= 50 and new.called_by_run_id is not null and not new.is_detached)
execute function automation_child_ended();
"""
REMOVE_NEWS = """
drop trigger run_child_ended on automation_run;
drop function automation_child_ended();
"""

# The end and the cancel of a calling run reach what it called, level by level: each child's end fires this again.
FAMILY = """
create function automation_end_children() returns trigger language plpgsql as $$
begin
  with ended as (
    update automation_run r
    set status = case when r.status = 20 then 20 else 52 end,
        finished_at = case when r.status = 20 then null else now() end,
        finishes = r.finishes + case when r.status = 20 then 0 else 1 end,
        cancel_requested_at = coalesce(r.cancel_requested_at, now()),
        wake_at = null, wait_kind = null, wait_key = null
    where r.called_by_run_id = new.id and not r.is_detached and r.status < 50
    returning r.id, r.status)
  update automation_steprun s
  set status = 54, until = null, finished_at = now(),
      reason = '{"type": "run_ended", "message": "The run ended before this step did."}'
  from ended where ended.status = 52 and s.run_id = ended.id and s.status < 50;
  return null;
end $$;
create trigger run_ends_children after update on automation_run
for each row when (
  new.has_children and (
    (old.status < 50 and new.status >= 50)
    or (old.cancel_requested_at is null and new.cancel_requested_at is not null)))
execute function automation_end_children();
"""
REMOVE_FAMILY = """
drop trigger run_ends_children on automation_run;
drop function automation_end_children();
"""

# Batches of loops and whiles are rewritten while they grow.
STORAGE = "alter table automation_steprun set (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);"
RESET_STORAGE = "alter table automation_steprun reset (fillfactor, autovacuum_vacuum_scale_factor);"


class Migration(migrations.Migration):
    """Raw SQL beside the generated migration."""

    dependencies: ClassVar = [("automation", "0003_engine_whole")]
    operations: ClassVar = [
        migrations.RunSQL(NEWS, REMOVE_NEWS),
        migrations.RunSQL(FAMILY, REMOVE_FAMILY),
        migrations.RunSQL(STORAGE, RESET_STORAGE),
    ]
