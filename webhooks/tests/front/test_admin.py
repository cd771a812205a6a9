"""The admin shows samples, requests to no address and what a webhook's config says, as text."""

import pytest
from django.urls import reverse

from webhooks.models import TestDelivery, UnmatchedRequest
from webhooks.tests import make

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def staff(client):
    user = make.person()
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    return client


def pages(staff, row):
    base = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    answers = [staff.get(reverse(f"{base}_changelist")), staff.get(reverse(f"{base}_change", args=[row.pk]))]
    assert [answer.status_code for answer in answers] == [200, 200]
    return "".join(answer.content.decode() for answer in answers)


def test_a_sample_is_shown_as_text(staff):
    endpoint = make.endpoint()
    row = TestDelivery.objects.create(
        workspace=endpoint.workspace,
        endpoint=endpoint,
        status=202,
        method="POST",
        headers={"x-a": SCRIPT},
        query={"q": SCRIPT},
        body=SCRIPT.encode(),
        size_bytes=len(SCRIPT),
        trigger={"body": SCRIPT},
    )

    shown = pages(staff, row)

    assert SCRIPT not in shown
    assert shown.count("&lt;script&gt;") >= 3


def test_a_request_to_no_address_is_shown_as_text(staff):
    row = UnmatchedRequest.objects.create(
        reason="unknown_webhook",
        method="POST",
        address=f"/x/{SCRIPT}",
        headers={"x-a": SCRIPT},
        body=b"\xff" + SCRIPT.encode(),
        size_bytes=5,
    )

    shown = pages(staff, row)

    assert (SCRIPT in shown, "\\xff&lt;script&gt;" in shown) == (False, True)


def test_the_page_of_a_webhook_says_its_rules_and_its_test_address(staff):
    endpoint = make.endpoint(config={"methods": ["PUT"], "path": "orders/{id}", "allow_ips": []})

    shown = pages(staff, endpoint)

    assert "methods: [&#x27;PUT&#x27;], path: orders/{id}" in shown
    assert f"{endpoint.test_url} does not listen" in shown
