"""Every verb of every route × owner, viewer, stranger, nobody, switched off: made from the resolver, so none is forgotten."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brainops.accounts.models import User
from tests.security.routes import PARAMETER, Verb, verbs
from tests.security.things import BODIES, Things

VERBS = verbs()
NAMING = [verb for verb in VERBS if verb.names_things]
# Open to some viewers: those who are asked, and for themselves. The service says who.
ASKED_BY_THE_SERVICE = {
    "POST approvals/<uuid:id>/approve",
    "POST approvals/<uuid:id>/reject",
    "DELETE members/<uuid:id>",
}
# A viewer sees own ones here, and of others nothing: what became of somebody else's.
OWN_ONLY = {
    "GET exports": 200,
    "GET exports/<uuid:id>": 404,
    "GET exports/<uuid:id>/download": 404,
    "DELETE exports/<uuid:id>": 404,
    "POST workflows/export": 200,
}
HAPPENED = (200, 201, 202, 204)
OF_THE_BODY = (400, 409)  # let in, and told what else is missing
MISSING = "3f8a2c1e-0000-4000-8000-00000000dead"
# What a refused caller may leave: a line about the refusal.
NOTES = re.compile(r'"?audit_auditentry"?')
OF_THE_REQUEST = re.compile(r".*Request-Id|RateLimit.*|Content-Length", re.IGNORECASE)
WRITES = re.compile(r"^\s*(insert into|update|delete from)\s", re.IGNORECASE)


def address(verb: Verb, things: Things) -> str:
    """The route with the ids of the things it names."""
    names = iter([things.named_by(place) for place in verb.places()])
    return PARAMETER.sub(lambda _: next(names), verb.route)


def elsewhere(verb: Verb) -> str:
    """The same route with names of nothing."""
    return PARAMETER.sub(lambda found: MISSING if "uuid" in found.group() else "nothing", verb.route)


def said(answer: object, address: str) -> tuple[int, bytes, dict[str, str]]:
    """What an answer says, but for the id of the request and the address asked for."""
    headers = {name: value for name, value in answer.headers.items() if not OF_THE_REQUEST.match(name)}
    content = re.sub(rb'"request_id":\s*"[^"]*"', b"", answer.content)
    for part in address.split("/"):
        if len(part) > 20:
            content = content.replace(part.encode(), b"ID")
    return answer.status_code, content, headers


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_nobody_and_who_was_switched_off_are_asked_who_they_are(verb, things, nobody, switched_off):
    place = address(verb, things)

    assert [caller.call(verb.method, place).status_code for caller in (nobody, switched_off)] == [401, 401]


@pytest.mark.parametrize("verb", NAMING, ids=str)
def test_a_stranger_cannot_tell_a_foreign_id_from_a_missing_one(verb, things, stranger):
    place, missing = address(verb, things), elsewhere(verb)

    with CaptureQueriesContext(connection) as queries:
        foreign = said(stranger.call(verb.method, place), place)
    not_there = said(stranger.call(verb.method, missing), missing)

    assert foreign == not_there
    assert foreign[0] in (404, 403, 400)
    assert [text for text in _writes(queries) if not NOTES.search(text)] == []


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_a_viewer_does_what_viewers_may_and_nothing_else(verb, things, viewer):
    body = BODIES[str(verb)](things) if str(verb) in BODIES else None

    status = viewer.call(verb.method, address(verb, things), body).status_code

    if str(verb) in OWN_ONLY:
        assert status == OWN_ONLY[str(verb)]
    elif verb.is_for_viewers and str(verb) not in ASKED_BY_THE_SERVICE:
        assert status not in (401, 403)
    else:
        assert status == 403


@pytest.mark.parametrize("verb", VERBS, ids=str)
def test_an_owner_is_let_in_everywhere(verb, things, owner):
    status = owner.call(verb.method, address(verb, things)).status_code

    if verb.is_for_staff:
        assert status == 403
    else:
        assert status in HAPPENED or status in OF_THE_BODY


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.is_for_staff], ids=str)
def test_staff_are_let_in_where_only_staff_may(verb, things, owner):
    User.objects.filter(id=owner.user.id).update(is_staff=True, is_superuser=True)

    status = owner.call(verb.method, address(verb, things)).status_code

    assert status in HAPPENED or status in OF_THE_BODY


def _writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries.captured_queries if WRITES.match(query["sql"])]
