"""Signing in, in a real browser: both factors, the button of an identity provider, a forgotten password."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail

from brainops.accounts.models import User
from brainops.accounts.tests.codes import code_of
from brainops.core.identity_providers import Provider
from tests.browser.conftest import DESK, PHONE, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [("light", DESK), ("light", PHONE), ("dark", DESK), ("dark", PHONE)]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def provider(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    sso = Provider(id="keycloak", name="Keycloak", issuer="https://id.example.com", client_id="brainops")
    settings.BRAINOPS_OIDC_PROVIDERS = {"keycloak": sso}


@pytest.fixture
def root(staff: User) -> User:
    staff.set_password(PASSWORD)
    staff.save()
    return staff


@pytest.fixture
def visitor(chromium: Any, live_server: Any):
    """Open an address as nobody yet; the test fails when the page logs an error or breaks its policy."""
    found, contexts = [], []

    def open_(address: str, theme: str = "light", width: int = DESK) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: found.append(str(error)))
        page.goto(live_server.url + address)
        return page

    yield open_

    for context in contexts:
        context.close()
    assert found == []


def log_in(page: Any) -> None:
    page.fill("input[name=username]", "ada@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_factor_is_set_up_and_asked_for(visitor, root, theme, width):
    page = visitor("/admin/login/?next=/admin/security/", theme, width)
    button = page.get_by_text("Sign in with Keycloak").is_visible()
    log_in(page)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Set up an app").click()
    secret = page.locator(".bo-field .bo-mono").inner_text()
    square = page.locator(".bo-qr").bounding_box()
    page.fill("#code", code_of(secret, steps=-1))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("pre.bo-code").inner_text().split()

    again = visitor("/admin/login/", theme, width)
    log_in(again)
    asked = again.url
    again.fill("#id_code", code_of(secret))
    again.get_by_role("button", name="Log in").click()

    assert (button, len(codes), square["width"]) == (True, 10, square["height"])
    assert asked.endswith("/admin/login/code/")
    assert again.url.endswith("/admin/")
    assert not any(scrolls_sideways(each) for each in (page, again))


def test_where_staff_need_a_factor_the_page_says_so(visitor, root, settings):
    settings.BRAINOPS_STAFF_MFA = "required"
    page = visitor("/admin/login/")

    log_in(page)

    assert page.get_by_text("Set up a second factor to go on").is_visible()
    assert page.url.endswith("/admin/security/")


def with_key(page: Any) -> Any:
    """Give the page's browser a security key that is touched at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    traits = {"hasResidentKey": False, "hasUserVerification": True, "isUserVerified": True}
    key = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True, **traits}
    identity = session.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    return lambda: session.send("WebAuthn.removeVirtualAuthenticator", identity)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_security_key_is_added_and_asked_for(visitor, root, live_server, settings, theme, width):
    settings.BRAINOPS_PUBLIC_URL = live_server.url
    page = visitor("/admin/login/?next=/admin/security/", theme, width)
    with_key(page)
    log_in(page)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Add a security key").click()
    page.fill("#name", "Blue key")
    page.get_by_role("button", name="Touch it now").click()
    page.locator("pre.bo-code").wait_for()
    codes = page.locator("pre.bo-code").inner_text().split()
    page.goto(page.url)
    listed = page.get_by_text("Blue key").is_visible()
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/admin/login/")
    log_in(page)
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("**/admin/")

    assert (len(codes), listed) == (10, True)
    assert Authenticator.objects.get(user=root, type="webauthn").last_used_at is not None


def test_another_key_and_another_site_get_nobody_in(visitor, root, live_server, settings):
    settings.BRAINOPS_PUBLIC_URL = live_server.url
    page = visitor("/admin/login/?next=/admin/security/")
    remove = with_key(page)
    log_in(page)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Add a security key").click()
    page.get_by_role("button", name="Touch it now").click()
    page.locator("pre.bo-code").wait_for()
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/admin/login/")
    log_in(page)
    settings.BRAINOPS_PUBLIC_URL = "https://localhost"  # the browser signs for the origin it is on
    page.get_by_role("button", name="Use a security key").click()
    page.get_by_text("was not accepted").wait_for()
    refused_site = page.url
    remove()
    with_key(page)
    settings.BRAINOPS_PUBLIC_URL = live_server.url
    page.goto(page.url)
    page.get_by_role("button", name="Use a security key").click()
    page.get_by_text("did not answer").wait_for(timeout=90_000)

    assert refused_site.endswith("/admin/login/code/")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_forgotten_password_is_asked_for(visitor, root, settings, theme, width):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    page = visitor("/admin/login/", theme, width)

    page.locator(".password-reset-link").click()
    page.fill("#id_email", "ada@example.com")
    page.get_by_role("button", name="Send me a link").click()

    while not mail.outbox:  # sent by a thread of its own
        page.wait_for_timeout(20)
    assert page.get_by_text("is on its way").is_visible()
    assert mail.outbox[0].to == ["ada@example.com"]
    assert not scrolls_sideways(page)
