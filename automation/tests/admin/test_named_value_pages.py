"""The pages of variables and secrets: forms that go through the services, and values that stay unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from automation.models import Secret, Variable
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.models import Workspace
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

VALUE = "canary-of-the-pages"


@pytest.fixture
def home() -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme-pages")


@pytest.fixture
def secret(home: Workspace) -> Secret:
    return Secret.objects.create(workspace=home, name="token", value=VALUE, hosts=["a.example"])


def add(client: Client, noun: str, home: Workspace, **fields: Any) -> Any:
    return client.post(
        reverse(f"admin:automation_{noun}_add"), {"workspace": str(home.id), "description": "", **fields}
    )


def change(client: Client, row: Any, **fields: Any) -> Any:
    page = reverse(f"admin:automation_{row._meta.model_name}_change", args=[row.pk])
    return client.post(page, {"description": "", **fields}) if fields else client.get(page)


def test_staff_add_and_change_a_variable_and_the_audit_log_says_so_once(admin_of_all, home):
    assert add(admin_of_all, "variable", home, name="limit", value='{"a": [1]}').status_code == 302
    row = Variable.objects.get()
    assert change(admin_of_all, row, value="7").status_code == 302

    row.refresh_from_db()
    assert (row.name, row.value, row.revision, row.workspace_id) == ("limit", 7, 2, home.id)
    said = AuditEntry.objects.filter(target_id="limit").order_by("id").values_list("action", "actor_label")
    assert list(said) == [("variable.create", admin_of_all.user.email), ("variable.update", admin_of_all.user.email)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "a-b", "value": "1"}, "A name has 1 to 64 letters"),
        ({"name": "a", "value": "{"}, "Enter a valid JSON."),
        ({"name": "a", "value": f'"{"x" * 40_000}"'}, "at most 32,768 bytes"),
    ],
)
def test_a_variable_that_cannot_be_kept_comes_back_with_the_reason(admin_of_all, home, fields, said):
    answer = add(admin_of_all, "variable", home, **fields)

    assert (answer.status_code, said in answer.content.decode(), Variable.objects.count()) == (200, True, 0)


def test_a_name_is_taken_once(admin_of_all, home):
    add(admin_of_all, "variable", home, name="a", value="1")

    assert "already exists" in add(admin_of_all, "variable", home, name="a", value="2").content.decode()


def test_staff_add_a_secret_and_no_page_shows_it(admin_of_all, home):
    assert (
        add(
            admin_of_all, "secret", home, name="token", new_value=VALUE, host_lines="A.example\n\n*.b.example\n"
        ).status_code
        == 302
    )
    row = Secret.objects.get()

    pages = [change(admin_of_all, row), admin_of_all.get(reverse("admin:automation_secret_changelist"))]

    assert (row.value, row.hosts) == (VALUE, ["a.example", "*.b.example"])
    assert [VALUE in page.content.decode() for page in pages] == [False, False]
    assert [entry.action for entry in AuditEntry.objects.filter(target_kind="secret")] == ["secret.create"]


def test_a_form_that_comes_back_does_not_hold_what_was_typed(admin_of_all, home):
    answer = add(admin_of_all, "secret", home, name="a-b", new_value=VALUE, host_lines="https://x")

    content = answer.content.decode()
    assert (answer.status_code, VALUE in content, "is no host; write api.example.com" in content) == (200, False, True)


def test_an_empty_value_leaves_the_secret_as_it_is(admin_of_all, secret):
    assert (
        change(admin_of_all, secret, new_value="", host_lines="a.example", expires_on="2030-01-31").status_code == 302
    )

    secret.refresh_from_db()
    assert (secret.value, str(secret.expires_on), secret.revision) == (VALUE, "2030-01-31", 2)


def test_more_hosts_need_the_value_again(admin_of_all, secret):
    answer = change(admin_of_all, secret, new_value="", host_lines="evil.example")

    secret.refresh_from_db()
    assert "to show that you know it" in answer.content.decode()
    assert secret.hosts == ["a.example"]
    assert change(admin_of_all, secret, new_value=VALUE, host_lines="evil.example").status_code == 302


def test_a_secret_in_use_is_not_deleted_and_the_page_names_who_uses_it(admin_of_all, home, secret):
    headers = {"headers": {"X-Key": "{{ secrets.token }}"}}
    step = {"id": "a", "uses": "http.request", "with": {"url": "https://a.example", **headers}}
    workflow = make_workflow()
    type(workflow).objects.filter(pk=workflow.pk).update(
        workspace=home, name=EVIL, definition={"schema": 1, "steps": [step]}
    )
    page = reverse("admin:automation_secret_delete", args=[secret.pk])

    refused = admin_of_all.post(page, {"post": "yes"}, follow=True).content.decode()

    assert "is used by" in refused
    assert EVIL not in refused
    assert Secret.objects.filter(pk=secret.pk).exists()
    type(workflow).objects.filter(pk=workflow.pk).update(definition={"schema": 1, "steps": []})
    assert admin_of_all.post(page, {"post": "yes"}).status_code == 302
    assert not Secret.objects.exists()
    assert [entry.action for entry in AuditEntry.objects.filter(target_kind="secret")] == ["secret.delete"]


def test_staff_without_the_right_see_nothing(secret):
    looker, nobody = make_staff("view_secret"), make_staff()

    assert change(looker, secret).status_code == 200
    assert VALUE not in change(looker, secret).content.decode()
    assert change(looker, secret, new_value="another-canary", host_lines="").status_code == 403
    assert change(nobody, secret).status_code == 403
