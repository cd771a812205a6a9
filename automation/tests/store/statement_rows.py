"""Rows that statements are planned on: enough of everything, so that the planner has something to plan for."""

from __future__ import annotations

import uuid

from django.db import connection

HOME = uuid.uuid4()  # the workspace that the rows stand in

# One workspace with a few hundred workflows and runs in every state, so that the planner has something to plan for.
ROWS = """
insert into accounts_workspace (id, name, slug) values ('{home}', 'Plans', 'plans');
insert into automation_workflow (id, workspace_id, name, definition, description, tags, meta_data, is_active, version,
                                 revision)
select gen_random_uuid(), w.id, 'w' || n, '{}', '', '[]', '{}', true, '1.0.0', 1
from accounts_workspace w, generate_series(1, 300) n;
insert into automation_workflowversion (id, workspace_id, workflow_id, ordinal, number, name, description, definition,
                                        tags, meta_data, checksum, note)
select gen_random_uuid(), workspace_id, id, 1, '1.0.0', name, '', '{}', '[]', '{}', '', '' from automation_workflow;
update automation_workflow w set current_version_id = v.id from automation_workflowversion v where v.workflow_id = w.id;
insert into automation_run (workspace_id, workflow_id, version_id, status, claim, worker_id, wake_at, deadline_at,
                            finished_at, finishes, dedupe_key, limit_key, created_at)
select w.workspace_id, w.id, w.current_version_id, s, case when s = 20 then gen_random_uuid() end,
       case when s = 20 then gen_random_uuid() end, case when s = 30 then now() + interval '1 hour' end,
       case when s < 50 then now() + interval '1 day' end, case when s >= 50 then now() end,
       case when s >= 50 then 1 else 0 end, 'key:' || w.id || n, 'limit', now() - n * interval '1 hour'
from automation_workflow w, generate_series(1, 10) n,
     lateral (select case n when 1 then 10 when 2 then 15 when 3 then 18 when 4 then 20 when 5 then 30 else 50 end) x(s);
insert into automation_rundata (run_id) select id from automation_run;
insert into automation_approval (id, workspace_id, run_id, path, number, title, assignees, escalate_to, state, expires_at,
                                 escalates_at)
select gen_random_uuid(), workspace_id, id, p, 1, 'x', '[]', '[]', case when id % 50 = 0 then 'pending' else 'approved' end,
       now() + interval '1 day', now() + interval '1 hour'
from automation_run, (values ('a'), ('b'), ('c'), ('d'), ('e'), ('f')) paths(p);
insert into automation_steprun (run_id, path, kind, status) select id, 'a', 'log', 50 from automation_run;
insert into automation_runlog (run_id, seq, at, message) select id, 1, now(), 'x' from automation_run;
insert into automation_trigger (id, workspace_id, workflow_id, name, kind, config, inputs, is_active, next_fire_at)
select gen_random_uuid(), workspace_id, id, '', 'schedule', '{}', '{}', true, now() from automation_workflow;
insert into automation_firing (trigger_id, slot, decision)
select t.id, now() - n * interval '1 day', 1 from automation_trigger t, generate_series(1, 20) n;
insert into automation_arrival (id, workspace_id, trigger_id, key, decision, data, handle, created_at, seen_at)
select gen_random_uuid(), t.workspace_id, t.id, 'key ' || n, 1, '{}', case when n = 1 then '{}'::jsonb end,
       now() - n * interval '1 day', now() - n * interval '1 day' from automation_trigger t, generate_series(1, 40) n;
insert into automation_source (trigger_id, workspace_id, next_at, last_polled_at)
select id, workspace_id, case when random() < 0.05 then now() end, now() from automation_trigger;
insert into automation_worker (id, name, state) select gen_random_uuid(), 'host/' || n, 4 from generate_series(1, 50) n;
insert into automation_event (id, workspace_id, name, digest, created_at)
select gen_random_uuid(), workspace_id, 'order.paid', sha256(('event ' || id)::bytea), now() - id * interval '1 minute'
from automation_run;
insert into automation_eventwish (workspace_id, listener, holder, type)
select workspace_id, 'trigger', gen_random_uuid(), 'type ' || n from automation_workflow, generate_series(1, 10) n;
insert into automation_tick (name) values ('tick');
"""
TABLES = "approval run rundata steprun runlog workflow workflowversion trigger firing arrival source event eventwish worker tick"


def fill() -> None:
    """Insert the rows and let the planner count them."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS.replace("{home}", str(HOME)))
        for table in TABLES.split():
            cursor.execute(f"analyze automation_{table}")
