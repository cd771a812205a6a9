"""What nobody may set is refused by name in the body of every write, beside a body that is otherwise right.

Made from the resolver: a new write is asked too. Where one of the members is what the request is about, it stands in
`MEANT` with its verb.
"""

from __future__ import annotations

import pytest

from brainops.accounts.models import User
from tests.security.audited import BEFORE, BODIES, QUERIES
from tests.security.conftest import Caller
from tests.security.routes import PARAMETER, Verb, verbs
from tests.security.things import BODIES as LET_IN
from tests.security.things import Things

MISSING = "3f8a2c1e-0000-4000-8000-00000000dead"
PROTECTED = {
    "id": MISSING,
    "uid": MISSING,
    "workspace": MISSING,
    "workspace_id": MISSING,
    "user_id": MISSING,
    "created_by": MISSING,
    "created_by_id": MISSING,
    "owner_id": MISSING,
    "owner": MISSING,
    "version": "99.0.0",
    "status": "succeeded",
    "state": "done",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "last_used_at": "2020-01-01T00:00:00Z",
    "is_staff": True,
    "is_superuser": True,
    "role": "owner",
    "digest": "00",
    "scopes": ["*"],
}
# What a verb is about, or may say beside it.
MEANT = {
    "PATCH members/<uuid:id>": {"role"},
    # what was read may be sent back, and this moves by itself meanwhile: it is passed over
    "PATCH notices/<uuid:id>": {"updated_at"},
    "PATCH subscriptions/<uuid:id>": {"updated_at"},
    "PATCH triggers/<uuid:id>": {"updated_at"},
    "PUT notices/<uuid:id>": {"updated_at"},
    "PUT subscriptions/<uuid:id>": {"updated_at"},
    "PUT triggers/<uuid:id>": {"updated_at"},
    "POST admin/workflows/bulk": {"owner"},
    "POST api-keys": {"role", "scopes"},
    "POST invitations": {"role"},
    "POST webhooks/<uuid:webhook_id>/events/<uuid:event_id>/dry-run": {"version"},
    "POST webhooks/<uuid:webhook_id>/replay/dry-run": {"version"},
    "POST workflows/<uuid:id>/dry-run": {"version"},
    "POST workflows/<uuid:id>/execute": {"version"},
    "POST workflows/bulk": {"owner"},
}
# A file with workflows, not a body with members: automation/tests/exchange/test_hostile_files.py. An event: its members
# are attributes, any name may be an extension's, and none of them ever is a column's.
FILES = {"POST workflows/import", "POST events"}
WRITES = [verb for verb in verbs() if verb.method in ("post", "put", "patch") and str(verb) not in FILES]


@pytest.mark.parametrize("verb", WRITES, ids=str)
def test_members_that_nobody_may_set_are_refused_by_name(verb: Verb, things: Things, owner: Caller):
    User.objects.filter(id=owner.user.id).update(is_staff=True, is_superuser=True)
    if str(verb) in BEFORE:
        BEFORE[str(verb)](things)
    names = iter([things.named_by(place) for place in verb.places()])
    place = PARAMETER.sub(lambda _: next(names), verb.route) + QUERIES.get(str(verb), "")
    make = BODIES.get(str(verb)) or LET_IN.get(str(verb))
    body = make(things) if make else {}
    wanted = PROTECTED.keys() - MEANT.get(str(verb), set())

    def refused(members: set[str]) -> set[str]:
        answer = owner.call(verb.method, place, {**body, **{name: PROTECTED[name] for name in members}})
        assert answer.status_code == 400, (members, answer.content[:600])
        return {problem.get("pointer", "")[1:] for problem in answer.json()["problems"]}

    # some doors first tell of what is known and cannot be set, then of what is unknown
    at_once = refused(wanted)
    alone = {name for name in wanted - at_once if name in refused({name})}

    assert wanted - at_once - alone == set()


def test_nothing_is_meant_that_no_route_has():
    assert MEANT.keys() | FILES <= {str(verb) for verb in verbs()}
