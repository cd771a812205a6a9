"""The page of an invitation: looking does nothing, the form accepts or declines."""

import re

import pytest
from django.core import mail
from django.test import Client

from brainops.accounts.models import Invitation, Membership, Role, User
from brainops.accounts.tests.conftest import PASSWORD
from brainops.accounts.tests.people import logged_in, member_id
from brainops.accounts.tests.test_invitations import GRACE, NEW_PASSWORD, invited, token_of

pytestmark = pytest.mark.django_db


def test_a_newcomer_fills_the_form(ada):
    address = f"/invitations/{invited(ada)}"
    client = Client(enforce_csrf_checks=True)

    shown = client.get(address).content.decode()
    form = {"csrfmiddlewaretoken": re.search(r'csrfmiddlewaretoken" value="(\w+)"', shown)[1]}
    words = {"username": "grace", "password": NEW_PASSWORD, "again": NEW_PASSWORD, "answer": "accept"}
    unsigned = client.post(address, words)
    done = client.post(address, {**form, **words})

    assert "ada@example.com invites grace@example.com as Builder" in shown
    assert (unsigned.status_code, done.status_code) == (403, 200)
    assert "grace@example.com is a member of Acme as Builder" in done.content.decode()
    assert Membership.objects.get(user__username="grace").role == Role.BUILDER


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"again": "different"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "This password is too short"),
        ({"username": "ada"}, "username"),
        ({"username": ""}, "This field is required."),
    ],
)
def test_a_wrong_form_comes_back_with_what_is_wrong(ada, change, said):
    words = {"username": "grace", "password": NEW_PASSWORD, "again": NEW_PASSWORD, "answer": "accept"}

    answer = Client().post(f"/invitations/{invited(ada)}", {**words, **change})

    assert (answer.status_code, said in answer.content.decode()) == (400, True)
    assert not User.objects.filter(email=GRACE).exists()


def test_who_has_an_account_gives_its_password(ada, eve):
    address = f"/invitations/{invited(ada, eve.email)}"

    wrong = Client().post(address, {"password": "wrong", "answer": "accept"})
    right = Client().post(address, {"password": PASSWORD, "answer": "accept"})

    assert (wrong.status_code, right.status_code) == (400, 200)
    assert member_id(eve, Invitation.objects.get().workspace)


def test_who_is_logged_in_only_presses_the_button(ada, eve):
    client = Client()
    client.force_login(eve)

    answer = client.post(f"/invitations/{invited(ada, eve.email)}", {"answer": "accept"})

    assert (answer.status_code, Membership.objects.filter(user=eve).count()) == (200, 2)


def test_who_is_logged_in_as_somebody_else_needs_the_password_of_the_invited(ada, bob, eve):
    client = Client()
    client.force_login(bob)

    answer = client.post(f"/invitations/{invited(ada, eve.email)}", {"answer": "accept"})

    assert (answer.status_code, Membership.objects.filter(user=eve).count()) == (400, 1)


def test_declining_needs_no_form(ada):
    answer = Client().post(f"/invitations/{invited(ada)}", {"answer": "decline"})

    assert (answer.status_code, Invitation.objects.get().declined_at is None) == (200, False)


def test_hostile_words_are_shown_as_text(ada, acme):
    acme.name = "<script>alert(1)</script>"
    acme.save()
    logged_in(ada).post("/invitations", {"email": GRACE, "message": "<img src=x onerror=alert(2)>"})

    page = Client().get(f"/invitations/{token_of(mail.outbox[-1].body)}")

    assert "<script>alert" not in page.content.decode()
    assert "<img src=x" not in page.content.decode()
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert page.headers["Referrer-Policy"] == "same-origin"
