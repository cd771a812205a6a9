"""Second factors in the admin: asked for before it opens, set up on its page, removed by those who may."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client, RequestFactory
from rest_framework.request import Request

from brainops.accounts.api.authentication import BearerAuthentication
from brainops.accounts.models import User
from brainops.accounts.services import second_factors, sessions
from brainops.accounts.tests.codes import code_of, wrong_code
from brainops.accounts.tests.conftest import API, PASSWORD
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


def enter_name(client, **more):
    return client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD, **more})


def test_the_admin_asks_for_the_code_before_it_opens(root, enrol):
    secret, _ = enrol(root)
    client = Client()

    first = enter_name(client, next="/admin/accounts/user/")
    between = client.get("/admin/").status_code
    wrong = client.post("/admin/login/code/", {"code": wrong_code(secret)})
    right = client.post("/admin/login/code/", {"code": code_of(secret)})

    assert (first.status_code, first.headers["Location"], between) == (302, "/admin/login/code/", 302)
    assert (wrong.status_code, "The code is wrong" in wrong.content.decode()) == (200, True)
    assert (right.status_code, right.headers["Location"]) == (302, "/admin/accounts/user/")
    assert client.get("/admin/accounts/user/").status_code == 200


def test_the_page_of_the_code_is_nothing_without_a_password_before(root, enrol):
    secret, _ = enrol(root)

    answer = Client().post("/admin/login/code/", {"code": code_of(secret)})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/")


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_login_leads_nowhere_outside(root, enrol, wanted):
    secret, _ = enrol(root)
    client = Client()
    enter_name(client, next=wanted)

    assert client.post("/admin/login/code/", {"code": code_of(secret)}).headers["Location"] == "/admin/"


def test_staff_set_a_factor_up_and_remove_it_on_the_page(root):
    client = Client()
    enter_name(client)

    begun = client.post("/admin/security/", {"action": "begin", "password": PASSWORD})
    enrolment = begun.context["enrolment"]
    wrong = client.post(
        "/admin/security/", {"action": "confirm", "ticket": enrolment.ticket, "code": wrong_code(enrolment.secret)}
    )
    done = client.post(
        "/admin/security/",
        {"action": "confirm", "ticket": enrolment.ticket, "code": code_of(enrolment.secret, steps=-1)},
    )
    shown = client.get("/admin/security/").content.decode()
    gone = client.post("/admin/security/", {"action": "remove", "code": code_of(enrolment.secret)}).content.decode()

    assert "data:image/svg+xml;base64," in begun.content.decode()
    assert enrolment.secret in wrong.content.decode()
    assert len(done.context["codes"]) == 10
    assert "Recovery codes left" in shown
    assert done.context["codes"][0] not in shown
    assert ("The second factor is removed." in gone, second_factors.has_any(root)) == (True, False)


def test_where_staff_need_a_factor_they_see_only_the_page_that_sets_it_up(root, settings):
    settings.BRAINOPS_STAFF_MFA = "required"
    client = Client()
    entered = enter_name(client)

    pages = {path: client.get(path) for path in ("/admin/", "/admin/accounts/user/", "/admin/login/")}
    begun = client.post("/admin/security/", {"action": "begin", "password": PASSWORD}).context["enrolment"]
    client.post("/admin/security/", {"action": "confirm", "ticket": begun.ticket, "code": code_of(begun.secret)})

    assert entered.status_code == 302
    assert {path: page.headers.get("Location") for path, page in pages.items()} == {
        "/admin/": "/admin/login/?next=/admin/",
        "/admin/accounts/user/": "/admin/login/?next=/admin/accounts/user/",
        "/admin/login/": "/admin/security/",
    }
    assert client.get("/admin/accounts/user/").status_code == 200


def test_the_page_is_for_staff(ada):
    client = Client()
    client.force_login(ada)

    assert client.get("/admin/security/").headers["Location"] == "/admin/login/?next=/admin/security/"


def test_a_lost_phone_is_helped_by_a_command(ada, enrol, capsys):
    enrol(ada)

    call_command("remove_second_factor", "ada@example.com")

    said = capsys.readouterr().out
    body = {"username": "ada", "password": PASSWORD}
    answer = Client().post(f"{API}/auth/token", body, content_type="application/json")
    assert (answer.status_code, said) == (200, "ada@example.com logs in without a second factor now.\n")
    assert AuditEntry.objects.get(action="mfa.disable").actor_label == "remove_second_factor"


def test_staff_without_a_factor_are_a_warning_of_the_deploy_check(settings):
    from brainops.accounts.checks import check_staff_factor

    optional = check_staff_factor(None)
    settings.BRAINOPS_STAFF_MFA = "required"

    assert ([warning.id for warning in optional], check_staff_factor(None)) == (["accounts.W001"], [])


def test_a_lost_phone_is_helped_by_superusers_in_the_admin(root, ada, enrol):
    enrol(ada)
    helper = User.objects.create_user("helper@example.com", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    form = {"action": "remove_factors", "_selected_action": [str(ada.id)]}

    outcomes = []
    for user in (helper, root):
        client = Client()
        client.force_login(user)
        client.post("/admin/accounts/user/", form)
        outcomes.append(second_factors.has_any(ada))

    assert outcomes == [True, False]


@pytest.mark.parametrize("page", ["/admin/accounts/user/{}/change/", "/admin/accounts/user/{}/password/"])
def test_an_editor_of_users_does_not_become_a_superuser_by_changing_one(root, page):
    editor = User.objects.create_user("editor@example.com", is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    client = Client()
    client.force_login(editor)

    client.post(
        page.format(root.id), {"password1": "mine alone now", "password2": "mine alone now", "email": "e@x.org"}
    )

    root.refresh_from_db()
    assert (root.email, root.check_password(PASSWORD)) == ("root@example.com", True)


def test_the_admins_own_password_page_has_the_limits_of_logins(root):
    client = Client()
    client.force_login(root)
    new = {"new_password1": "a sentence nobody says", "new_password2": "a sentence nobody says"}

    answers = [client.post("/admin/password_change/", {"old_password": "wrong", **new}) for _ in range(6)]
    limited = client.post("/admin/password_change/", {"old_password": PASSWORD, **new})

    assert "The password is wrong." in answers[0].content.decode()
    assert "Too many attempts. Try again in" in limited.content.decode()


def test_ones_own_password_is_changed_in_the_admin(root):
    client = Client()
    client.force_login(root)
    new = {"new_password1": "a sentence nobody says", "new_password2": "a sentence nobody says"}

    answer = client.post("/admin/password_change/", {"old_password": PASSWORD, **new})

    root.refresh_from_db()
    assert (answer.status_code, root.check_password("a sentence nobody says")) == (302, True)


def test_where_staff_need_a_factor_the_api_knows_them_as_staff_only_with_one(root, settings, enrol):
    enrol(root)
    plain = sessions.open_session(root, amr=["pwd"]).access
    shown = sessions.open_session(root, amr=["pwd", "otp", "mfa"]).access

    def staff_of(token):
        request = Request(RequestFactory(headers={"Authorization": f"Bearer {token}"}).get("/"))
        return BearerAuthentication().authenticate(request)[0].is_staff

    optional = [staff_of(plain), staff_of(shown)]
    settings.BRAINOPS_STAFF_MFA = "required"

    assert (optional, [staff_of(plain), staff_of(shown)]) == ([True, True], [False, True])
