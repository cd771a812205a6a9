"""Attacks on the way to a real provider and back: none of them signs anybody in."""

from datetime import timedelta

import pytest
from django.test import Client

from brainops.accounts.models import OneTimeToken
from brainops.accounts.tests.provider.browser import visit as go
from brainops.accounts.tests.sign_on.calls import ADA, finish, outcome, post, start
from brainops.core import clock

pytestmark = pytest.mark.django_db


def test_a_state_of_somebody_else_is_refused_and_stays_good_for_them(ada, honest):
    mine, theirs = start(), start()
    answer = go(theirs["url"], name="u8", claims=ADA)

    stolen = finish(mine, answer)
    own = finish(theirs, answer)

    assert (outcome(stolen), outcome(own)) == ((401, "sign_on_failed"), (200, None))


def test_a_code_of_somebody_elses_visit_is_refused(ada, honest):
    mine, theirs = start(), start()
    code = go(theirs["url"], name="u9", claims=ADA)["code"]

    answer = finish(mine, {"state": mine["state"], "code": code, "iss": honest.issuer})

    assert outcome(answer) == (401, "sign_on_failed")  # another PKCE challenge


def test_an_answer_works_once(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u10", claims=ADA)

    outcomes = [outcome(finish(begun, answer)) for _ in range(2)]

    assert outcomes == [(200, None), (401, "sign_on_failed")]


def test_a_code_that_was_used_at_the_provider_is_refused(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u11", claims=ADA)
    row = OneTimeToken.objects.get()
    finish(begun, answer)
    row.save(force_insert=True)  # as if our own record of it were lost

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


def test_a_token_made_for_another_visit_is_refused_by_its_nonce(ada, honest):
    begun = start()
    tampered = begun["url"].replace("nonce=", "nonce=other")

    assert outcome(finish(begun, go(tampered, name="u12", claims=ADA))) == (401, "sign_on_failed")


def test_a_visit_is_over_after_ten_minutes(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u13", claims=ADA)
    OneTimeToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


@pytest.mark.parametrize("changes", [{"iss": "http://127.0.0.1:1"}, {"iss": ""}])
def test_an_answer_of_another_issuer_is_refused(ada, honest, changes):
    begun = start()

    answer = finish(begun, go(begun["url"], name="u14", claims=ADA), **changes)

    assert answer.status_code in (400, 401)


def test_an_answer_without_an_issuer_is_refused_where_the_provider_names_itself(ada, honest):
    begun = start()
    answer = go(begun["url"], name="u15", claims=ADA)
    del answer["iss"]

    assert outcome(finish(begun, answer)) == (401, "sign_on_failed")


def test_a_mixed_up_answer_never_reaches_the_other_providers_token_endpoint(ada, honest, liar):
    to_liar, to_honest = start("liar"), start("honest")
    code = go(to_honest["url"], name="u16", claims=ADA)

    answer = finish(to_liar, {**code, "state": to_liar["state"]})

    assert (outcome(answer), liar.hits["/token"]) == ((401, "sign_on_failed"), 0)


def test_a_visit_of_the_admin_is_none_of_the_api(ada, honest):
    client = Client()
    address = client.get("/auth/oidc/honest/begin").headers["Location"]
    answer = go(address, name="u17", claims=ADA)

    assert outcome(finish({"ticket": client.session["sign_on"]}, answer)) == (401, "sign_on_failed")


def test_visits_are_limited_by_network(honest):
    statuses = [post("/auth/oidc/honest/start").status_code for _ in range(31)]

    assert statuses == [200] * 30 + [429]
