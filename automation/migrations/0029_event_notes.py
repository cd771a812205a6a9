"""What listeners hear is noted with what happens, where somebody listens; and who listens is noted with the trigger."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# Runs, approvals, workflows and sources say one word; only where the word is wanted does a row come of it.
QUEUE = """
create function automation_queue_event(workspace uuid, said text, run bigint, facts jsonb) returns void
language plpgsql as $$
begin
  if exists (select from automation_eventwish w where w.workspace_id = workspace
             and (w.type = said or (right(w.type, 1) = '*' and starts_with(said, left(w.type, -1))))) then
    insert into automation_queuedevent (workspace_id, type, run_id, about) values (workspace, said, run, facts);
  end if;
end $$;
"""
REMOVE_QUEUE = "drop function automation_queue_event(uuid, text, bigint, jsonb);"

# The hot one: where nobody in the workspace listens it is one look into a small index. Test runs are nobody's business.
ENDS = """
create function automation_queue_end() returns trigger language plpgsql as $$
begin
  if exists (select from automation_eventwish w where w.workspace_id = new.workspace_id) then
    perform automation_queue_event(
      new.workspace_id,
      case new.status when 50 then 'brainops.run.succeeded' when 51 then 'brainops.run.failed'
                      when 52 then 'brainops.run.cancelled' else 'brainops.run.timed_out' end,
      new.id, null);
  end if;
  return null;
end $$;
create trigger run_queues_end after update on automation_run
for each row when (old.status < 50 and new.status >= 50 and new.mode <> 3)
execute function automation_queue_end();
"""
REMOVE_ENDS = """
drop trigger run_queues_end on automation_run;
drop function automation_queue_end();
"""

APPROVALS = """
create function automation_queue_approval() returns trigger language plpgsql as $$
begin
  perform automation_queue_event(
    r.workspace_id,
    case tg_op when 'INSERT' then 'brainops.approval.requested' else 'brainops.approval.decided' end,
    r.id,
    jsonb_build_object('approval_id', new.id, 'kind', new.kind, 'title', new.title, 'step', new.path,
                       'state', new.state, 'decided_by', nullif(new.decided_by, ''),
                       'comment', nullif(new.comment, '')))
  from automation_run r where r.id = new.run_id and r.mode <> 3;
  return null;
end $$;
create trigger approval_queues_question after insert on automation_approval
for each row when (new.state = 'pending') execute function automation_queue_approval();
create trigger approval_queues_decision after update on automation_approval
for each row when (old.state = 'pending' and new.state not in ('pending', 'withdrawn'))
execute function automation_queue_approval();
"""
REMOVE_APPROVALS = """
drop trigger approval_queues_question on automation_approval;
drop trigger approval_queues_decision on automation_approval;
drop function automation_queue_approval();
"""

WORKFLOWS = """
create function automation_queue_workflow() returns trigger language plpgsql as $$
declare
  facts jsonb;
begin
  if tg_op = 'DELETE' then
    facts := jsonb_build_object('workflow_id', old.id, 'workflow', old.name);
    perform automation_queue_event(old.workspace_id, 'brainops.workflow.deleted', null, facts);
    return null;
  end if;
  facts := jsonb_build_object('workflow_id', new.id, 'workflow', new.name);
  if new.current_version_id is not null and old.current_version_id is distinct from new.current_version_id then
    perform automation_queue_event(
      new.workspace_id, 'brainops.workflow.published', null,
      facts || jsonb_build_object('version', v.number, 'note', v.note))
    from automation_workflowversion v where v.id = new.current_version_id;
  end if;
  if old.is_active <> new.is_active then
    perform automation_queue_event(
      new.workspace_id,
      case when new.is_active then 'brainops.workflow.activated' else 'brainops.workflow.deactivated' end,
      null, facts);
  end if;
  return null;
end $$;
create trigger workflow_queues_change after update of current_version_id, is_active on automation_workflow
for each row when (
  old.is_active <> new.is_active or old.current_version_id is distinct from new.current_version_id)
execute function automation_queue_workflow();
create trigger workflow_queues_deletion after delete on automation_workflow
for each row execute function automation_queue_workflow();
"""
REMOVE_WORKFLOWS = """
drop trigger workflow_queues_change on automation_workflow;
drop trigger workflow_queues_deletion on automation_workflow;
drop function automation_queue_workflow();
"""

# A source that cannot be read three times in a row is news, and so is that it can be read again.
SOURCES = """
create function automation_queue_source() returns trigger language plpgsql as $$
begin
  perform automation_queue_event(
    t.workspace_id,
    case when new.failures >= 3 then 'brainops.trigger.failing' else 'brainops.trigger.recovered' end,
    null,
    jsonb_build_object('trigger_id', t.id, 'kind', t.kind, 'name', t.name, 'workflow_id', t.workflow_id,
                       'failures', greatest(old.failures, new.failures), 'error', nullif(new.last_error, ''),
                       'code', nullif(new.last_error_code, '')))
  from automation_trigger t where t.id = new.trigger_id;
  return null;
end $$;
create trigger source_queues_change after update of failures on automation_source
for each row when ((old.failures >= 3) <> (new.failures >= 3)) execute function automation_queue_source();
"""
REMOVE_SOURCES = """
drop trigger source_queues_change on automation_source;
drop function automation_queue_source();
"""

# However a trigger is changed (one by one, in bulk, with its workflow), its wishes are those of its row.
WISHES = """
create function automation_wish_of_trigger() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    delete from automation_eventwish w where w.holder = old.id and w.listener = 'trigger';
  end if;
  if tg_op <> 'DELETE' and new.is_active then
    insert into automation_eventwish (workspace_id, listener, holder, type)
    select distinct new.workspace_id, 'trigger', new.id, one
    from jsonb_array_elements_text(
      case jsonb_typeof(new.config -> 'type')
        when 'array' then new.config -> 'type' else jsonb_build_array(new.config -> 'type') end) one
    where one is not null;
  end if;
  return null;
end $$;
create trigger trigger_wishes_first after insert on automation_trigger
for each row when (new.kind = 'event') execute function automation_wish_of_trigger();
create trigger trigger_wishes_anew after update of is_active, config on automation_trigger
for each row when (new.kind = 'event') execute function automation_wish_of_trigger();
create trigger trigger_wishes_no_more after delete on automation_trigger
for each row when (old.kind = 'event') execute function automation_wish_of_trigger();
"""
REMOVE_WISHES = """
drop trigger trigger_wishes_first on automation_trigger;
drop trigger trigger_wishes_anew on automation_trigger;
drop trigger trigger_wishes_no_more on automation_trigger;
drop function automation_wish_of_trigger();
"""

# Rows come and go by the second.
STORAGE = """
alter table automation_queuedevent set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 200);
alter table automation_eventdelivery set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
"""
RESET_STORAGE = """
alter table automation_queuedevent reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
alter table automation_eventdelivery reset (fillfactor, autovacuum_vacuum_scale_factor);
"""


class Migration(migrations.Migration):
    """Raw SQL."""

    dependencies: ClassVar = [("automation", "0028_source_waits")]
    operations: ClassVar = [
        migrations.RunSQL(QUEUE, REMOVE_QUEUE),
        migrations.RunSQL(ENDS, REMOVE_ENDS),
        migrations.RunSQL(APPROVALS, REMOVE_APPROVALS),
        migrations.RunSQL(WORKFLOWS, REMOVE_WORKFLOWS),
        migrations.RunSQL(SOURCES, REMOVE_SOURCES),
        migrations.RunSQL(WISHES, REMOVE_WISHES),
        migrations.RunSQL(STORAGE, RESET_STORAGE),
    ]
