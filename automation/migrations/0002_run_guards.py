"""What Django's models cannot say: a final status stays, and hot tables are kept lean."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# The last line of defence: whatever a statement, a person in psql or a restored worker does, an ended run stays ended.
GUARD = """
create function automation_refuse_reopening() returns trigger language plpgsql as $$
begin
  raise exception 'Run % is final with status %: it cannot become %.', old.uid, old.status, new.status
    using errcode = 'check_violation', constraint = 'run_final_stays', table = 'automation_run';
end $$;
create trigger run_final_stays before update on automation_run
for each row when (old.status >= 50 and new.status is distinct from old.status)
execute function automation_refuse_reopening();
"""
REMOVE_GUARD = """
drop trigger run_final_stays on automation_run;
drop function automation_refuse_reopening();
"""

# Every run is updated at least twice: room on its page makes those updates cheap (HOT where no index column moves).
# Partial indexes on status bloat with dead rows, so vacuum comes after 2 % instead of 20 %.
STORAGE = """
alter table automation_run set (
  fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table automation_rundata set (
  fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
alter table automation_worker set (fillfactor = 50);
alter table automation_tick set (fillfactor = 50);
"""
RESET_STORAGE = """
alter table automation_run reset (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
alter table automation_rundata reset (
  fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
alter table automation_worker reset (fillfactor);
alter table automation_tick reset (fillfactor);
"""


class Migration(migrations.Migration):
    """Raw SQL beside the generated first migration."""

    dependencies: ClassVar = [("automation", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(GUARD, REMOVE_GUARD),
        migrations.RunSQL(STORAGE, RESET_STORAGE),
    ]
