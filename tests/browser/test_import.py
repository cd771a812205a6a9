"""The import in a browser: a file is chosen, what would happen is read, the button is pressed; on a desk and on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from automation.models import Workflow
from automation.tests.exchange.conftest import file_of, say, workflow
from brainops.accounts.models import Workspace
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BROKEN = {"schema": 1, "steps": [{"id": "a", "uses": "a_kind_of_another_release_with_a_long_name"}]}


@pytest.mark.parametrize(("theme", "width"), [("light", DESK), ("dark", PHONE)])
def test_a_file_is_previewed_and_imported(open_page, theme, width):
    Workspace.objects.create(name="Acme", slug="acme")
    hook = {"kind": "webhook", "config": {"scheme": "github"}}
    told = [workflow("Welcome", say("{{ vars.greeting }}"), triggers=[hook]), workflow("Broken", BROKEN)]
    page = open_page(reverse("admin:automation_workflow_changelist"), theme=theme, width=width)

    page.get_by_role("link", name="Import").click()
    page.get_by_label("File", exact=True).set_input_files({"name": "in.json", "mimeType": "", "buffer": file_of(*told)})
    page.get_by_role("button", name="Show what would happen").click()
    page.get_by_role("heading", name="What the import into Acme would do").wait_for()
    assert page.get_by_text("Missing variables").is_visible()
    assert Workflow.objects.count() == 0
    page.get_by_role("button", name="Import now").click()

    page.get_by_role("heading", name="Imported into Acme").wait_for()
    assert page.get_by_text("its secret, shown this once").is_visible()
    assert list(Workflow.objects.values_list("name", flat=True)) == ["Welcome"]
