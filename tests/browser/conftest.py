"""A real Chromium on the pages of the admin, in both themes, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from automation.services import runnable
from automation.tests.conftest import runtime  # noqa: F401  (a fixture)
from brainops.accounts.models import User

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
DESK, PHONE = 1440, 390


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install one, or name it in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # playwright's loop runs in this thread, and Django would take its presence for asynchronous code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def staff(transactional_db: None) -> User:
    runnable.forget_all()
    return User.objects.create_superuser("ada@example.com", username="ada", name="Ada")


@pytest.fixture
def open_page(chromium: Any, live_server: Any, staff: User) -> Iterator[Callable[..., Any]]:
    """Open an address as staff. The test fails when the page logs an error, breaks its policy or scrolls sideways."""
    client = Client()
    client.force_login(staff)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    found: list[str] = []
    contexts = []

    def open_(address: str, *, theme: str = "light", width: int = DESK) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: found.append(str(error)))
        page.on(
            "response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        )
        page.url_of = lambda place: live_server.url + place
        page.goto(page.url_of(address))
        return page

    yield open_

    sideways = [page.url for context in contexts for page in context.pages if scrolls_sideways(page)]
    for context in contexts:
        context.close()
    assert (found, sideways) == ([], [])


def scrolls_sideways(page: Any) -> bool:
    """True when something on the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
