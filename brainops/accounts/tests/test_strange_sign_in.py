"""Nonsense at every door that is open to anybody: refused, and never a server error."""

import pytest
from django.test import Client

from brainops.accounts.tests.conftest import API
from brainops.core.identity_providers import Provider

pytestmark = pytest.mark.django_db

STRANGE = [
    *(None, True, 7, 1e308, [], {}, "", " ", "x" * 43, "x" * 5000, "é" * 43, "٣" * 6, "' or 1=1--", "{{7*7}}"),
    *("../../etc/passwd", "<script>", "\u202e", "😀" * 20, "a\tb", "%00", "\u0000"),
]
BODIES = {
    "/auth/token": ("username", "password"),
    "/auth/token/mfa": ("ticket", "code"),
    "/auth/token/refresh": ("refresh",),
    "/auth/password/reset": ("email",),
    "/auth/password/reset/confirm": ("token", "password"),
    "/auth/oidc/token": ("ticket", "state", "code"),
}


@pytest.fixture(autouse=True)
def provider(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    sso = Provider(id="sso", name="SSO", issuer="http://127.0.0.1:1", client_id="brainops")
    settings.BRAINOPS_OIDC_PROVIDERS = {"sso": sso}


@pytest.mark.parametrize("path", BODIES)
def test_a_strange_body_is_refused(ada, path):
    statuses = set()
    for strange in STRANGE:
        body = dict.fromkeys(BODIES[path], strange)
        client = Client(REMOTE_ADDR=f"2001:db8:{STRANGE.index(strange):x}::1")  # another network each: no limit is hit
        answer = client.post(API + path, body, content_type="application/json")
        statuses.add(answer.status_code)

    assert statuses <= {202, 400, 401, 404} if path == "/auth/password/reset" else statuses <= {400, 401, 404}


@pytest.mark.parametrize("path", ["/auth/oidc/callback", "/auth/password/reset", "/admin/login/", "/admin/login/code/"])
def test_strange_parameters_and_forms_of_pages_are_refused(ada, path):
    names = ("state", "code", "iss", "error", "email", "username", "password", "answer", "next", "action")
    statuses = set()
    for number, strange in enumerate(text for text in STRANGE if isinstance(text, str)):
        client = Client(REMOTE_ADDR=f"2001:db8:{number:x}::1")
        statuses.add(client.get(path, dict.fromkeys(names, strange)).status_code)
        statuses.add(client.post(path, dict.fromkeys(names, strange)).status_code)

    assert statuses <= {200, 302, 405}


@pytest.mark.parametrize("place", ["/auth/password/reset/{}", "/auth/oidc/{}/begin", f"{API}/auth/oidc/{{}}/start"])
def test_strange_addresses_lead_nowhere(place):
    texts = ("x", "x" * 2000, "%00", "%ff%fe", "é", "..%2f..", "a.b", "<x>", "sso%0d%0a")
    statuses = {Client().get(place.format(text)).status_code for text in texts}

    assert statuses <= {302, 404, 405}
