"""Security keys: a key answers for this site, this question and its owner, and for nothing else."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from brainops.accounts.models import User
from brainops.accounts.services import second_factors, security_keys
from brainops.accounts.tests.conftest import PASSWORD
from brainops.accounts.tests.soft_key import SoftKey
from brainops.audit.models import AuditEntry
from brainops.core.errors import Conflict, InvalidInput, NotAuthenticated

pytestmark = pytest.mark.django_db
SITE = "https://flows.example.com"


@pytest.fixture(autouse=True)
def site(settings):
    settings.BRAINOPS_PUBLIC_URL = SITE


def added(user: User, key: SoftKey | None = None) -> SoftKey:
    key = key or SoftKey(SITE)
    options, state = security_keys.begin_adding(user)
    security_keys.add(user, state=state, answer=key.create(options), name="Blue\0 key")
    return key


def test_the_first_key_brings_recovery_codes_and_the_next_one_none(ada):
    codes = []
    for _ in range(2):
        options, state = security_keys.begin_adding(ada)
        codes.append(security_keys.add(ada, state=state, answer=SoftKey(SITE).create(options), name=""))

    assert [len(found) for found in codes] == [10, 0]
    assert security_keys.names_of(ada) == ["Security key", "Security key"]
    assert second_factors.factors_of(ada).is_on
    assert AuditEntry.objects.filter(action="mfa.enable").count() == 2


def test_a_key_answers_the_question_it_was_asked(ada):
    key = added(ada)
    options, state = security_keys.begin_using(ada)
    _, another = security_keys.begin_using(ada)
    answer = key.get(options)

    with pytest.raises(NotAuthenticated):
        security_keys.check(ada, state=another, answer=answer)
    with pytest.raises(NotAuthenticated):
        security_keys.check(ada, state={}, answer=answer)

    assert security_keys.check(ada, state=state, answer=answer) == "hwk"
    assert security_keys.names_of(ada) == ["Blue key"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://flows.example.com", f"{SITE}:8443", f"{SITE}.evil.example"]
)
def test_a_key_that_signed_for_another_site_is_refused(ada, origin):
    key = added(ada)
    key.origin = origin
    options, state = security_keys.begin_using(ada)

    with pytest.raises(NotAuthenticated):
        security_keys.check(ada, state=state, answer=key.get(options))
    with pytest.raises(InvalidInput):
        added(ada, SoftKey(origin))


def test_what_a_browser_adds_to_its_answer_is_not_kept(ada):
    key = SoftKey(SITE)
    options, state = security_keys.begin_adding(ada)
    with pytest.raises(InvalidInput):
        security_keys.add(ada, state=state, answer=key.create(options, more="\0"), name="x")

    security_keys.add(ada, state=state, answer=key.create(options, more="x" * 1000), name="x")

    assert "more" not in Authenticator.objects.get(type="webauthn").data["credential"]


def test_the_key_of_somebody_else_is_refused(ada, eve):
    added(ada)
    theirs = added(eve)
    options, state = security_keys.begin_using(ada)

    with pytest.raises(NotAuthenticated):
        security_keys.check(ada, state=state, answer=theirs.get(options))


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "{", "x" * 20_000, '{"id": 1}', '{"id": "a", "response": {}}']
)
def test_nonsense_is_refused(ada, answer):
    added(ada)
    _, state = security_keys.begin_using(ada)
    _, new = security_keys.begin_adding(ada)

    with pytest.raises(NotAuthenticated):
        security_keys.check(ada, state=state, answer=answer)
    with pytest.raises(InvalidInput):
        security_keys.add(ada, state=new, answer=answer, name="x")


@pytest.mark.parametrize(
    ("url", "is_possible"),
    [
        ("https://flows.example.com", True),
        ("http://localhost:8000", True),
        ("http://flows.example.com", False),
        ("http://127.0.0.1:8000", False),
        ("https://203.0.113.7", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_keys_are_offered_where_browsers_can_use_them(ada, settings, url, is_possible):
    settings.BRAINOPS_PUBLIC_URL = url

    assert security_keys.is_possible() is is_possible
    if not is_possible:
        with pytest.raises(Conflict):
            security_keys.begin_adding(ada)


def test_there_are_ten_keys_at_most(ada):
    for _ in range(10):
        added(ada)

    with pytest.raises(Conflict):
        security_keys.begin_adding(ada)


def test_who_has_no_key_is_not_asked_for_one(ada):
    assert security_keys.begin_using(ada) is None


def test_the_pages_add_a_key_and_ask_for_it(db):
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    client, key = Client(), SoftKey(SITE)
    name = {"username": "root@example.com", "password": PASSWORD}
    client.post("/admin/login/", name)
    asked = client.post("/admin/security/", {"action": "ask_for_key", "password": PASSWORD})
    answer = key.create(json.loads(asked.context["key_options"]))
    done = client.post("/admin/security/", {"action": "add_key", "answer": answer, "name": "Blue"})
    again = client.post("/admin/security/", {"action": "add_key", "answer": answer, "name": "Blue"})

    other = Client()
    other.post("/admin/login/", name)
    question = other.get("/admin/login/code/").context["key_options"]
    refused = other.post("/admin/login/code/", {"answer": SoftKey(SITE).get(json.loads(question))})
    question = refused.context["key_options"]
    entered = other.post("/admin/login/code/", {"answer": key.get(json.loads(question))})

    assert len(done.context["codes"]) == 10
    assert "Not done" in again.content.decode()  # its question was answered
    assert "was not accepted" in refused.content.decode()
    assert (entered.status_code, entered.headers["Location"]) == (302, "/admin/")
    assert other.session["amr"] == ["pwd", "hwk", "mfa"]
    assert security_keys.names_of(root) == ["Blue"]
