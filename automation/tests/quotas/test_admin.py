"""Staff sets quotas and sees what is in use."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from brainops.accounts.models import User


@pytest.mark.django_db
def test_the_page_of_a_workspace_shows_what_it_uses_and_takes_quotas(limited):
    owner = limited(max_workflows=3)
    owner.make()
    staff = Client()
    staff.force_login(User.objects.create_superuser("root@example.com", "not used here", username="root"))
    address = reverse("admin:accounts_workspace_change", args=[owner.workspace.id])

    page = staff.get(address).content.decode()

    assert "workflows: 1 of 3<br>active triggers: 0<br>runs per day: 0<br>storage bytes: 0" in page
    assert 'name="max_runs_per_day"' in page
