"""A million runs of two hundred workflows in eleven workspaces, made by the database itself."""

from __future__ import annotations

from typing import Any

WORKSPACES = 11  # the first has nine tenths of the runs
WORKFLOWS = 200

PLACES = """
insert into accounts_workspace (id, name, slug) select gen_random_uuid(), 'Team ' || n, 'bench-' || n
from generate_series(2, %(workspaces)s) n
"""
WORKFLOWS_OF_ALL = """
with places as (select id, row_number() over (order by slug = 'bench' desc, slug) place from accounts_workspace),
made as (
  insert into automation_workflow (id, workspace_id, name, description, definition, tags, meta_data, is_active, version,
                                   current_version_id, revision, created_at, updated_at)
  select gen_random_uuid(), places.id, 'Workflow ' || n, 'Moves orders of shop ' || n, %(definition)s, to_jsonb(
           array['tag-' || n %% 20, 'team-' || n %% 3]), '{}', true, '1.0.0', null, 1, at, at
  from generate_series(1, %(workflows)s) n
  join places on places.place = case when n %% 10 = 0 then 2 + (n / 10) %% (%(workspaces)s - 1) else 1 end,
  lateral (select now() - n * interval '1 hour' as at) times
  returning id, workspace_id, name, definition, tags, created_at)
insert into automation_workflowversion (id, workspace_id, workflow_id, ordinal, number, name, description, definition,
                                        tags, meta_data, checksum, note)
select gen_random_uuid(), workspace_id, id, 1, '1.0.0', name, '', definition, tags, '{}', 'x', '' from made
"""
CURRENT = """
update automation_workflow w set current_version_id = v.id from automation_workflowversion v where v.workflow_id = w.id
"""
TRIGGERS = """
insert into automation_trigger (id, workspace_id, workflow_id, name, kind, config, inputs, is_active)
select gen_random_uuid(), workspace_id, id, '', case when random() < 0.05 then 'webhook' else 'schedule' end,
       '{"cron": "0 9 * * *", "timezone": "UTC"}', '{}', false from automation_workflow
"""
# One run in twenty failed, one in two thousand by a rare error; one in a thousand took minutes.
RUNS = """
with flows as (
  select w.id, w.workspace_id, w.current_version_id, t.id as trigger_id, row_number() over (order by w.name) - 1 as n
  from automation_workflow w join automation_trigger t on t.workflow_id = w.id),
chosen as (
  select number, now() - (%(runs)s - number) * interval '3 seconds' as at, random() as luck, random() as length
  from generate_series(1, %(runs)s) number),
made as (
  insert into automation_run (workspace_id, workflow_id, version_id, trigger_id, created_by_id, status, finishes,
                              created_at, started_at, finished_at)
  select flows.workspace_id, flows.id, flows.current_version_id, case when luck < 0.7 then flows.trigger_id end,
         case when luck >= 0.999 then %(rare_person)s when luck >= 0.9 then %(person)s end::uuid,
         case when luck < 0.05 then 51 when luck < 0.052 then 53 when luck < 0.055 then 52 else 50 end, 1,
         at, at, at + case when length < 0.001 then interval '10 minutes' else length * interval '5 seconds' end
  from chosen join flows on flows.n = number %% %(workflows)s order by number
  returning id, status)
insert into automation_rundata (run_id, input, output, error)
select id, '{"inputs": {"n": 1}, "trigger": null}', '{"ok": true}',
  case when status in (51, 53) then jsonb_build_object(
    'type', 'HttpError', 'step', 'send', 'attempt', 3, 'class', case when id %% 40 = 0 then 'auth' else 'transient' end,
    'message', case when id %% 2000 = 51 then 'Quota of account ' || id || ' is exhausted'
                    else 'Connection to api' || id %% 50 || '.example.com refused' end) end
from made
"""
SETTLE = (
    *("vacuum analyze automation_run", "vacuum analyze automation_rundata", "vacuum analyze automation_workflow"),
    *("analyze automation_workflowversion", "analyze automation_trigger", "checkpoint"),
)


def fill(cursor: Any, *, runs: int, definition: str, person: str, rare_person: str) -> None:
    """Make the rows in a database that has the workspace `bench` and nothing else; autocommit must be on."""
    values = {
        "workspaces": WORKSPACES,
        "workflows": WORKFLOWS,
        "runs": runs,
        "definition": definition,
        "person": person,
        "rare_person": rare_person,
    }
    for statement in (PLACES, WORKFLOWS_OF_ALL, CURRENT, TRIGGERS, RUNS):
        cursor.execute(statement, values)
    for statement in SETTLE:
        cursor.execute(statement)
