"""After a restore: do the keys fit the database?"""

from __future__ import annotations

import os
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from automation.models import Secret
from brainops.accounts.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret():
    home = Workspace.objects.create(name="Shop", slug="shop")
    return Secret.objects.create(workspace=home, name="token", value="correct-horse")


def test_secrets_of_the_right_keys_are_counted_and_not_printed(secret):
    output = StringIO()
    call_command("check_secrets", stdout=output)

    assert "automation.Secret.value: 1 secrets can be read." in output.getvalue()
    assert "correct-horse" not in output.getvalue()


def test_another_key_under_the_same_name_is_found(secret, settings):
    [name] = list(settings.BRAINOPS_ENCRYPTION_KEYS)[:1]
    settings.BRAINOPS_ENCRYPTION_KEYS = {name: os.urandom(32)}

    with pytest.raises(CommandError, match=r"automation.Secret.value: 1 secrets cannot be read.\nBRAINOPS_ENC"):
        call_command("check_secrets", stdout=StringIO())
