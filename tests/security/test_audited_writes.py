"""Every write of the API leaves an entry in the audit log, or stands in a literal list with the reason why not.

Made from the resolver: a new route fails here until somebody says what its entry is called (`audited.py`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from brainops.accounts.models import User
from brainops.audit.models import AuditEntry
from tests.security.audited import ACTIONS, BEFORE, BODIES, ELSEWHERE, QUERIES, WITHOUT_ENTRY
from tests.security.conftest import Caller
from tests.security.routes import PARAMETER, Verb, verbs
from tests.security.things import Things

WRITES = [verb for verb in verbs() if verb.method != "get"]
DONE_HERE = [verb for verb in WRITES if str(verb) not in WITHOUT_ENTRY.keys() | ELSEWHERE.keys()]
ROOT = Path(__file__).resolve().parents[2]


def address(verb: Verb, things: Things) -> str:
    """The route with the ids of the things it names."""
    names = iter([things.named_by(place) for place in verb.places()])
    return PARAMETER.sub(lambda _: next(names), verb.route) + QUERIES.get(str(verb), "")


@pytest.mark.parametrize("verb", DONE_HERE, ids=str)
def test_a_write_leaves_an_entry(verb: Verb, things: Things, owner: Caller):
    User.objects.filter(id=owner.user.id).update(is_staff=True, is_superuser=True)
    if str(verb) in BEFORE:
        BEFORE[str(verb)](things)
    place = address(verb, things)
    body = BODIES[str(verb)](things) if str(verb) in BODIES else None
    last = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0

    answer = owner.call(verb.method, place, body)

    entries = list(AuditEntry.objects.filter(id__gt=last).order_by("id"))
    assert answer.status_code in (200, 201, 202, 204)
    assert ACTIONS[str(verb)] in [entry.action for entry in entries]
    assert all(entry.ip and entry.request_id and entry.actor_label and entry.mac for entry in entries)
    assert {entry.actor_id for entry in entries} == {owner.user.id}


@pytest.mark.parametrize("verb", sorted(ELSEWHERE))
def test_an_entry_that_is_asserted_elsewhere_is_asserted_there(verb: str):
    file, _, name = ELSEWHERE[verb].partition("::")
    text = (ROOT / file).read_text()

    assert "AuditEntry" in text
    assert f"def {name}(" in text


def test_nothing_is_excused_or_named_that_is_not_there():
    known = {str(verb) for verb in WRITES}

    assert (WITHOUT_ENTRY.keys() | ELSEWHERE.keys() | ACTIONS.keys() | BODIES.keys() | BEFORE.keys()) <= known
    assert all(WITHOUT_ENTRY.values())
