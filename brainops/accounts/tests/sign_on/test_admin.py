"""Single sign-on to the admin with a real provider."""

import pytest
from django.test import Client

from brainops.accounts.models import Identity
from brainops.accounts.services import second_factors
from brainops.accounts.tests.codes import code_of
from brainops.accounts.tests.conftest import Api
from brainops.accounts.tests.provider.browser import visit as go
from brainops.accounts.tests.sign_on.calls import ADA, finish, start
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


ROOT = {"email": "root@example.com", "email_verified": True}


def come_back(client, answer):
    return client.get("/auth/oidc/callback", dict(answer))


def test_the_login_page_shows_a_button_that_leads_to_the_admin_and_back(root, honest):
    client = Client()
    login = client.get("/admin/login/?next=/admin/accounts/user/").content.decode()
    begun = client.get("/auth/oidc/honest/begin?next=/admin/accounts/user/")

    answer = come_back(client, go(begun.headers["Location"], name="r1", claims=ROOT))

    assert "/auth/oidc/honest/begin?next=/admin/accounts/user/" in login
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/accounts/user/")
    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.session["amr"] == ["sso"]


def test_an_answer_in_another_browser_logs_nobody_in(root, honest):
    mine, victim = Client(), Client()
    begun = mine.get("/auth/oidc/honest/begin")

    answer = come_back(victim, go(begun.headers["Location"], name="r2", claims=ROOT))

    assert answer.headers["Location"] == "/admin/login/"
    assert victim.get("/admin/").status_code == 302


def test_a_person_who_is_no_staff_does_not_get_into_the_admin(ada, honest):
    client = Client()
    begun = client.get("/auth/oidc/honest/begin")

    answer = come_back(client, go(begun.headers["Location"], name="r3", claims=ADA))

    assert answer.headers["Location"] == "/admin/login/"
    assert "may not open the admin" in client.get("/admin/login/").content.decode()


def test_the_code_is_asked_for_after_the_provider_as_well(root, honest):
    enrolment = second_factors.begin(root)
    second_factors.confirm(root, ticket=enrolment.ticket, code=code_of(enrolment.secret, steps=-1))
    client = Client()
    begun = client.get("/auth/oidc/honest/begin")

    first = come_back(client, go(begun.headers["Location"], name="r4", claims=ROOT))
    second = client.post("/admin/login/code/", {"code": code_of(enrolment.secret)})

    assert (first.headers["Location"], second.headers["Location"]) == ("/admin/login/code/", "/admin/")
    assert client.session["amr"] == ["sso", "otp", "mfa"]


@pytest.mark.parametrize(
    "answer", [{}, {"state": "x" * 43, "code": "c"}, {"state": "\0", "code": "\0"}, {"error": "access_denied"}]
)
def test_an_answer_that_belongs_to_no_visit_leads_back_to_the_login(honest, answer):
    assert come_back(Client(), answer).headers["Location"] == "/admin/login/"


def test_the_answer_for_a_program_is_shown_to_the_person_and_uses_nothing_up(ada, honest):
    begun = start()
    answer = go(begun["url"], name="r5", claims=ADA)

    page = come_back(Client(), answer)

    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert all(text in page.content.decode() for text in answer.values())
    assert finish(begun, answer).status_code == 200


def test_an_account_is_unlinked_in_the_admin_and_its_logins_end(root, ada, honest):
    begun = start()
    api = Api(finish(begun, go(begun["url"], name="old", claims=ADA)).json()["access"])
    client = Client()
    client.force_login(root)
    form = {"action": "unlink", "_selected_action": [str(Identity.objects.get().id)]}

    client.post("/admin/accounts/identity/", form)
    begun = start()
    answer = finish(begun, go(begun["url"], name="new", claims=ADA))

    assert (api.get("/me").status_code, answer.status_code) == (401, 200)
    assert AuditEntry.objects.get(action="user.unlink").actor_label == "root@example.com"
