"""What steps ask of people: an approval is opened once per attempt, then looked at. The run's row is locked first."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson

from automation.engine.commands import AskApproval, CommandRefused
from automation.store.commands import CommandContext
from automation.store.signals import too_large

Json = Any

# Twice the same question is one question: the unique key finds it after a crash, and at each poll.
OPEN = """
insert into automation_approval (id, workspace_id, run_id, path, number, kind, title, message, assignees, quorum, form,
                                 expires_at, escalates_at, escalate_to)
values (%(id)s, %(workspace)s, %(run)s, %(path)s, %(number)s, %(kind)s, %(title)s, %(message)s, %(assignees)s::jsonb,
        %(quorum)s, %(form)s::jsonb, now() + make_interval(secs => %(expires)s::float8),
        now() + make_interval(secs => %(escalates)s::float8), %(escalate_to)s::jsonb)
on conflict (run_id, path, number) do nothing
returning id
"""

# Whoever looks when the time is over ends it, be it the step or the tick: a decision afterwards finds it expired.
EXPIRE = """
update automation_approval set state = 'expired', decided_at = now()
where run_id = %(run)s and path = %(path)s and number = %(number)s and state = 'pending' and expires_at <= now()
"""

LOOK = """
select a.id, a.state, a.decided_by, a.comment, a.data::text, a.assignees::text, a.expires_at,
       (select jsonb_agg(jsonb_build_object('voter', v.voter, 'verdict', v.verdict, 'comment', v.comment,
                                            'data', v.data, 'at', v.created_at) order by v.id)::text
        from automation_approvalvote v where v.approval_id = a.id)
from automation_approval a where a.run_id = %(run)s and a.path = %(path)s and a.number = %(number)s
"""


def _ask(cursor: Any, context: CommandContext, command: AskApproval) -> Json:
    place = {"run": context.run_id, "path": context.path, "number": context.attempt}
    cursor.execute(OPEN, place | _question(context, command))
    is_new = cursor.fetchone() is not None
    cursor.execute(EXPIRE, place)
    cursor.execute(LOOK, place)
    id_, state, decided_by, comment, data, assignees, expires_at, votes = cursor.fetchone()
    return {
        "id": str(id_),
        "state": state,
        "decided_by": decided_by,
        "comment": comment,
        "data": orjson.loads(data) if data is not None else None,
        "votes": orjson.loads(votes) if votes is not None else [],
        "assignees": orjson.loads(assignees),
        "expires_at": expires_at.isoformat() if expires_at else None,
        "is_new": is_new,
    }


def _question(context: CommandContext, command: AskApproval) -> dict[str, Any]:
    form = orjson.dumps(command.form).decode() if command.form is not None else None
    if refused := too_large("The form", form or ""):
        raise CommandRefused("value_too_large", refused)
    return {
        "id": uuid4(),
        "workspace": context.workspace_id,
        "kind": command.kind,
        "title": command.title,
        "message": command.message,
        "assignees": orjson.dumps(command.assignees).decode(),
        "quorum": command.quorum,
        "form": form,
        "expires": command.expires_seconds,
        "escalates": command.escalate_seconds,
        "escalate_to": orjson.dumps(command.escalate_to).decode(),
    }


HANDLERS = {AskApproval: _ask}
POLLS = frozenset({AskApproval})
