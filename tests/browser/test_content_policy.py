"""The pages work although no text may become code: what unfold's scripts do, they do by the strict build of Alpine."""

import pytest

from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIDEBAR = "#nav-sidebar"


def test_the_navigation_folds_and_stays_folded(open_page):
    page = open_page("/admin/")
    fold = page.locator("span:has-text('dock_to_right'):visible").first

    fold.click()
    page.wait_for_selector(SIDEBAR, state="hidden")
    page.reload()
    page.wait_for_selector(SIDEBAR, state="hidden")
    page.locator("span:has-text('dock_to_right'):visible").first.click()
    page.wait_for_selector(SIDEBAR, state="visible")


def test_the_navigation_opens_on_a_phone(open_page):
    page = open_page("/admin/", width=PHONE)
    page.wait_for_selector(SIDEBAR, state="hidden")

    page.locator("[x-on\\:click='sidebarMobileOpen = !sidebarMobileOpen']:visible").first.click()

    page.wait_for_selector(SIDEBAR, state="visible")


def test_the_theme_is_switched_by_a_key(open_page):
    page = open_page("/admin/", theme="dark")
    page.wait_for_selector("html.dark")

    page.keyboard.press("Control+e")

    page.wait_for_selector("html.light")


def test_a_form_keeps_its_address_and_grows_by_rows(open_page):
    page = open_page("/admin/accounts/workspace/add/", width=DESK)
    roles = page.locator("select[name^='memberships-'][name$='-role']:visible")
    assert roles.count() == 0

    page.locator(".add-row:visible").last.click()
    roles.first.wait_for()

    assert roles.count() == 1
    assert page.locator("#workspace_form").get_attribute("action") == "/admin/accounts/workspace/add/"
