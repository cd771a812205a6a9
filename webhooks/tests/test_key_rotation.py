"""The encryption key is changed while everything goes on, and a check proves that the old one may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.checks import Error, run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from automation.models import NoticeRule, Secret
from automation.store import secrets as stored_secrets
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.models import User, Workspace
from brainops.accounts.models.one_time_token import OneTimeToken, TokenPurpose
from brainops.accounts.services import factor_secrets
from brainops.audit.models import AuditEntry
from brainops.audit.services import record
from brainops.core import clock, rotation
from brainops.core.fields import EncryptedTextField
from webhooks.models import Subscription, WebhookEndpoint

pytestmark = pytest.mark.django_db

FRESH = {"fresh": b"f" * 31 + b"!"}
CHECKED = "Every secret is under the first key: the others may go from BRAINOPS_ENCRYPTION_KEYS.\n"


@pytest.fixture
def home() -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def old(settings: Any) -> dict[str, bytes]:
    """The ring before the rotation."""
    return dict(settings.BRAINOPS_ENCRYPTION_KEYS)


def make_secret(home: Workspace, name: str = "token") -> Secret:
    return Secret.objects.create(workspace=home, name=name, value=f"canary {name}")


def make_endpoint(_home: Workspace) -> WebhookEndpoint:
    workflow = make_workflow()
    trigger = workflow.triggers.create(workspace_id=workflow.workspace_id, kind="webhook")
    values: dict[str, Any] = {"max_body_bytes": 1_000, "secret": "canary of now", "previous_secret": "canary of then"}
    values["previous_valid_until"] = clock.now()
    return WebhookEndpoint.objects.create(workspace_id=workflow.workspace_id, trigger=trigger, scheme="hmac", **values)


def make_token(_home: Workspace) -> OneTimeToken:
    return OneTimeToken.objects.create(
        purpose=TokenPurpose.SIGN_ON, digest=b"d" * 32, secret="canary of a visit", expires_at=clock.now()
    )


def make_subscription(home: Workspace) -> Subscription:
    secrets = {name: f"canary of {name}" for name in ("secret", "previous_secret", "headers")}
    told = {"url": "https://example.com/hook", "types": ["*"], "previous_valid_until": clock.now()}
    return Subscription.objects.create(workspace=home, **told, **secrets)


def make_notice(home: Workspace) -> NoticeRule:
    return NoticeRule.objects.create(workspace=home, name="n", channel="webhook", secret="canary of a notice")


# Whoever adds an encrypted field adds a row here: what nobody makes, nobody sees rotated.
MAKERS: dict[str, Callable[[Workspace], Any]] = {
    "accounts.OneTimeToken.secret": make_token,
    "automation.NoticeRule.secret": make_notice,
    "automation.Secret.value": make_secret,
    "webhooks.Subscription.headers": make_subscription,
    "webhooks.Subscription.previous_secret": make_subscription,
    "webhooks.Subscription.secret": make_subscription,
    "webhooks.WebhookEndpoint.secret": make_endpoint,
    "webhooks.WebhookEndpoint.previous_secret": make_endpoint,
}


def make_factor() -> Authenticator:
    user = User.objects.create_user("ada@example.com", username="ada")
    with factor_secrets.secrets_of(user.id):
        secret = factor_secrets.MfaAdapter().encrypt("canary of a factor")
    return Authenticator.objects.create(user=user, type="totp", data={"secret": secret})


def rotate(**options: Any) -> str:
    said = StringIO()
    call_command("rotate_keys", stdout=said, **options)
    return said.getvalue()


def texts() -> Iterator[str]:
    """Every row of the database."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'select t::text from "{table}" t')
            yield from (row[0] for row in cursor.fetchall())


def test_every_encrypted_field_is_found_and_rotated(home, settings, old):
    for make in {maker.__name__: maker for maker in MAKERS.values()}.values():
        make(home)
    make_factor()
    assert {place.name for place in rotation.places()} == set(MAKERS)
    assert all(sum(place.key_counts().values()) for place in rotation.places())
    assert any("v1.test." in text for text in texts())

    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    rotate()

    assert [text for text in texts() if "v1.test." in text] == []
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.secret, endpoint.previous_secret) == ("canary of now", "canary of then")
    assert Secret.objects.get().value == "canary token"
    assert rotate(check=True) == CHECKED


def test_the_scan_finds_fields_by_their_class_whatever_the_room():

    fields = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField) and model._meta.managed
    ]
    assert sorted(fields) == sorted(place.name for place in rotation.places())


def test_a_rotation_that_was_stopped_goes_on_where_it_was(home, settings, old):
    for number in range(5):
        make_secret(home, f"s{number}")
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    (place,) = [one for one in rotation.places() if one.name == "automation.Secret.value"]
    keys = rotation._stale_keys(place, None, 2)
    rotation._rotate_batch(place, keys, rotation.Report())  # and then it was stopped

    assert place.key_counts() == {"fresh": 2, "test": 3}
    assert "automation.Secret.value: 3 secrets written anew." in rotate(batch=1)
    assert "automation.Secret.value: 0 secrets written anew." in rotate()


def test_secrets_are_read_before_between_and_after(home, settings, old):
    rows = [make_secret(home, f"s{number}") for number in range(4)]
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    (place,) = [one for one in rotation.places() if one.name == "automation.Secret.value"]
    rotation._rotate_batch(place, [rows[0].pk, rows[1].pk], rotation.Report())
    for ring in (FRESH | old, old | FRESH):  # a worker that was started anew, and one that was not yet
        settings.BRAINOPS_ENCRYPTION_KEYS = ring
        stored_secrets.forget()
        with connection.cursor() as cursor:
            found = stored_secrets.find(cursor, home.id, [row.name for row in rows])
        assert stored_secrets.opened(found, list(found)).values == {row.name: f"canary {row.name}" for row in rows}


def test_a_secret_that_is_changed_meanwhile_stays_changed(home, settings, old):
    row = make_secret(home)
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    (place,) = [one for one in rotation.places() if one.name == "automation.Secret.value"]
    keys = rotation._stale_keys(place, None, 9)
    row.value = "changed by somebody"
    row.save()

    rotation._rotate_batch(place, keys, rotation.Report())

    assert Secret.objects.get().value == "changed by somebody"


def test_the_check_counts_what_still_needs_an_older_key(home, settings, old):
    make_secret(home)
    make_factor()
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old

    with pytest.raises(CommandError) as refusal:
        rotate(check=True)

    assert str(refusal.value) == (
        "The older keys are still needed:\n"
        "automation.Secret.value: 1 secrets under an older key.\n"
        "Second factors: 1 secrets under an older key."
    )
    assert any("v1.test." in text for text in texts())  # it changed nothing


def test_a_lost_key_is_named_and_does_not_keep_the_others_from_being_rotated(home, settings, old):
    lost = make_secret(home, "lost")
    settings.BRAINOPS_ENCRYPTION_KEYS = {"other": b"o" * 32}
    make_secret(home, "kept")
    settings.BRAINOPS_ENCRYPTION_KEYS = {**FRESH, "other": b"o" * 32}

    with pytest.raises(CommandError) as refusal:
        rotate()

    assert str(refusal.value) == (
        "Some secrets could not be read and stay as they are:\n"
        f"The secret of automation_secret:{lost.id}:value was encrypted with the key 'test', which is not in "
        "BRAINOPS_ENCRYPTION_KEYS. Put the key back, or enter the secret again."
    )
    with pytest.raises(CommandError, match="1 secrets under a key that is not in BRAINOPS_ENCRYPTION_KEYS"):
        rotate(check=True)
    assert Secret.objects.get(name="kept").value == "canary kept"


def test_a_wrong_key_under_the_right_name_is_named_too(home, settings):
    make_secret(home)
    settings.BRAINOPS_ENCRYPTION_KEYS = {**FRESH, "test": b"w" * 32}

    with pytest.raises(CommandError, match="was changed in the database, or its key is another one"):
        rotate()


def test_the_audit_log_keeps_an_older_key_until_that_is_retired(home, settings, old):
    record(actor=None, workspace_id=home.id, action="a.b", target_kind="a", target_id="1", summary="x")
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    with pytest.raises(CommandError, match="Move that key from BRAINOPS_ENCRYPTION_KEYS to BRAINOPS_RETIRED_KEYS"):
        rotate(check=True)

    settings.BRAINOPS_ENCRYPTION_KEYS, settings.BRAINOPS_RETIRED_KEYS = FRESH, old

    assert rotate(check=True) == CHECKED
    call_command("audit_verify", stdout=StringIO())
    assert AuditEntry.objects.count() == 1


def stored_key_errors() -> list[Any]:
    return [one for one in run_checks(tags=["database"], databases=["default"]) if one.id == "core.E001"]


def test_a_key_that_stored_secrets_need_is_missed_by_a_check(home, settings, old):
    make_secret(home)
    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH | old
    assert stored_key_errors() == []

    settings.BRAINOPS_ENCRYPTION_KEYS = FRESH

    assert stored_key_errors() == [
        Error(
            "automation.Secret.value: 1 secrets are encrypted with the key 'test', which is not there.",
            hint="Put the key back into BRAINOPS_ENCRYPTION_KEYS, or delete these secrets and enter them again.",
            id="core.E001",
        )
    ]
