"""What may have to be told is noted with what happens: the end of a run, what becomes of an approval."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# One look into a small table for runs of workspaces without rules, three more for one that succeeded elsewhere; a row
# only where somebody wants to know. Runs that somebody waits for are their caller's business, test runs nobody's.
ENDS = """
create function automation_note_end() returns trigger language plpgsql as $$
begin
  if not exists (select from automation_noticerule r where r.is_active and r.workspace_id = new.workspace_id) then
    return null;
  end if;
  if new.status <> 50
    or exists (select from automation_noticestate s where s.is_failing and s.workflow_id = new.workflow_id)
    or exists (select from automation_noticecause c where c.status in (51, 53) and c.workflow_id = new.workflow_id)
    or exists (
      select from automation_noticerule r where r.is_active and r.workspace_id = new.workspace_id
        and r.slow_seconds < extract(epoch from new.finished_at - new.started_at))
  then
    insert into automation_noticecause (kind, workspace_id, workflow_id, run_id, status, seconds, at)
    values ('run_ended', new.workspace_id, new.workflow_id, new.id, new.status,
            extract(epoch from new.finished_at - new.started_at), new.finished_at);
  end if;
  return null;
end $$;
create trigger run_notes_end after update on automation_run
for each row when (
  old.status < 50 and new.status in (50, 51, 53) and new.mode <> 3
  and (new.called_by_run_id is null or new.is_detached))
execute function automation_note_end();
"""
REMOVE_ENDS = """
drop trigger run_notes_end on automation_run;
drop function automation_note_end();
"""

APPROVALS = """
create function automation_note_approval() returns trigger language plpgsql as $$
declare
  said text := 'approval_requested';
  asked jsonb := new.assignees;
begin
  if tg_op = 'UPDATE' then
    if new.state = 'expired' then
      said := 'approval_expired';
    else
      if old.escalates_at is not null and new.escalates_at is null then
        said := 'approval_escalated';
      end if;
      select coalesce(jsonb_agg(one), '[]') into asked from jsonb_array_elements(new.assignees) one
      where not old.assignees @> jsonb_build_array(one);
    end if;
  end if;
  insert into automation_noticecause (kind, workspace_id, workflow_id, run_id, approval_id, asked)
  select said, new.workspace_id, r.workflow_id, r.id, new.id, asked from automation_run r
  where r.id = new.run_id and r.mode <> 3
    and (asked <> '[]'
         or exists (select from automation_noticerule n where n.is_active and n.workspace_id = new.workspace_id));
  return null;
end $$;
create trigger approval_notes_question after insert on automation_approval
for each row when (new.state = 'pending') execute function automation_note_approval();
create trigger approval_notes_change after update on automation_approval
for each row when (
  old.state = 'pending' and (
    new.state = 'expired'
    or (new.state = 'pending' and (
      old.assignees is distinct from new.assignees
      or (old.escalates_at is not null and new.escalates_at is null)))))
execute function automation_note_approval();
"""
REMOVE_APPROVALS = """
drop trigger approval_notes_question on automation_approval;
drop trigger approval_notes_change on automation_approval;
drop function automation_note_approval();
"""

# Rows come and go by the second.
STORAGE = """
alter table automation_noticecause set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 200);
"""
RESET_STORAGE = """
alter table automation_noticecause reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    """Raw SQL."""

    dependencies: ClassVar = [("automation", "0014_notices")]
    operations: ClassVar = [
        migrations.RunSQL(ENDS, REMOVE_ENDS),
        migrations.RunSQL(APPROVALS, REMOVE_APPROVALS),
        migrations.RunSQL(STORAGE, RESET_STORAGE),
    ]
