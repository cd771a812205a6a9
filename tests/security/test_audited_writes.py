"""Every write of the API leaves an entry in the audit log, or stands in a literal list with the reason why not.

Made from the resolver: a new route fails here until somebody says what its entry is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automation.engine.status import RunStatus
from automation.models import Run
from automation.tests.admin.conftest import make_run
from brainops.accounts.models import User
from brainops.audit.models import AuditEntry
from tests.security.conftest import Caller
from tests.security.routes import PARAMETER, Verb, verbs
from tests.security.things import DAILY, Things

WRITES = [verb for verb in verbs() if verb.method != "get"]
HELLO = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}
FLOW = {"name": "Hello", "definition": HELLO}
BY_MAIL = {"name": "Ops", "events": ["first_failure"], "channel": "email", "recipients": ["ops@example.com"]}

# What is no act of somebody on something, and why.
WITHOUT_ENTRY = {
    "POST audit/verify": "reads and answers",
    "POST admin/audit/verify": "reads and answers",
    "POST workflows/validate": "reads and answers; nothing is stored",
    "POST workflows/<uuid:id>/versions/<str:number>/diff": "reads and answers",
    "POST runs/<uuid:id>/retry/preview": "reads and answers; nothing is started",
    "POST replays/preview": "reads and answers; nothing is started",
    "POST workflows/<uuid:id>/execute": "the run is the record: who asked, when, of which version, with what",
}
# Whose entry is asserted where the state that it takes is made.
ELSEWHERE: dict[str, str] = {}
Body = Callable[[Things], dict[str, Any]]
BODIES: dict[str, Body] = {}
ACTIONS: dict[str, str] = {}


def address(verb: Verb, things: Things) -> str:
    """The route with the ids of the things it names."""
    names = iter([things.named_by(place) for place in verb.places()])
    return PARAMETER.sub(lambda _: next(names), verb.route)


@pytest.mark.parametrize("verb", [v for v in WRITES if str(v) not in WITHOUT_ENTRY], ids=str)
def test_a_write_leaves_an_entry(verb: Verb, things: Things, owner: Caller):
    User.objects.filter(id=owner.user.id).update(is_staff=True, is_superuser=True)
    place = address(verb, things)
    body = BODIES[str(verb)](things) if str(verb) in BODIES else None
    before = AuditEntry.objects.count()
    answer = owner.call(verb.method, place, body)
    new = list(AuditEntry.objects.order_by("id")[before:].values_list("action", flat=True))
    print("\nRESULT", verb, answer.status_code, new, answer.content[:300])
