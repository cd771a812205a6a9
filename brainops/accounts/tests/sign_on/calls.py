"""What a program does to sign its person in."""

from django.test import Client

from brainops.accounts.tests.conftest import API

CALLBACK = "http://testserver/auth/oidc/callback"
SECRET = "a secret: of/the client"
ADA = {"email": "Ada@example.com", "email_verified": True, "name": "Ada L."}


def post(path, body=None):
    return Client().post(f"{API}{path}", body or {}, content_type="application/json")


def start(provider="honest"):
    answer = post(f"/auth/oidc/{provider}/start")
    assert answer.status_code == 200, answer.content
    return answer.json()


def finish(begun, answer, **changes):
    return post("/auth/oidc/token", {**answer, "ticket": begun["ticket"], **changes})


def outcome(answer):
    return answer.status_code, answer.json().get("code")
