"""Encrypted fields: what is in the database is not what is meant."""

import uuid

import orjson
import pytest
from django.core.exceptions import FieldError
from django.db import connection, models

from brainops.core import redact, rotation
from brainops.core.errors import MalformedJson, SecretUnreadable
from brainops.core.fields import EncryptedTextField, JsonField


class Vault(models.Model):
    """A table of this test alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secret = EncryptedTextField(null=True)
    data = JsonField(null=True)

    class Meta:
        app_label = "core"
        managed = False
        db_table = "test_vault"


@pytest.fixture
def vault(db):
    with connection.cursor() as cursor:
        cursor.execute("create table test_vault (id uuid primary key, secret text, data jsonb)")
    redact.forget_all()
    yield Vault
    redact.forget_all()


def stored(row) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select secret from test_vault where id = %s", [row.pk])
        return cursor.fetchone()[0]


def test_a_saved_secret_is_encrypted_and_read_back(vault):
    row = vault.objects.create(secret="correct horse")

    assert stored(row).startswith("v1.test.")
    assert vault.objects.get(pk=row.pk).secret == "correct horse"
    assert row.secret == "correct horse"


def test_saving_again_without_a_change_keeps_the_stored_form(vault):
    row = vault.objects.get(pk=vault.objects.create(secret="correct horse").pk)
    before = stored(row)

    row.save()

    assert stored(row) == before


def test_a_changed_secret_replaces_the_old_one(vault):
    row = vault.objects.get(pk=vault.objects.create(secret="old secret").pk)

    row.secret = "new secret"
    row.save(update_fields=["secret"])

    assert vault.objects.get(pk=row.pk).secret == "new secret"


def test_no_secret_stays_no_secret(vault):
    row = vault.objects.create(secret=None)

    assert (stored(row), vault.objects.get(pk=row.pk).secret) == (None, None)


def test_a_secret_copied_to_another_row_is_unreadable(vault):
    mine, theirs = vault.objects.create(secret="mine"), vault.objects.create(secret="theirs")
    with connection.cursor() as cursor:
        cursor.execute("update test_vault set secret = %s where id = %s", [stored(theirs), mine.pk])

    with pytest.raises(SecretUnreadable):
        _ = vault.objects.get(pk=mine.pk).secret


def test_loading_a_row_decrypts_nothing_and_reading_registers_the_secret_for_redaction(vault):
    pk = vault.objects.create(secret="correct horse").pk
    redact.forget_all()

    row = vault.objects.get(pk=pk)
    before = redact.redact_text("log of correct horse")
    _ = row.secret

    assert before == "log of correct horse"
    assert redact.redact_text("log of correct horse") == "log of •••"


def test_every_way_past_the_encryption_is_refused(vault):
    row = vault.objects.create(secret="secret")
    assert vault.objects.filter(secret__isnull=False).count() == 1

    with pytest.raises(FieldError):
        vault.objects.update(secret="plain")
    with pytest.raises(FieldError):
        vault.objects.filter(secret="secret").exists()
    with pytest.raises(FieldError):
        vault.objects.filter(secret__startswith="v1").exists()
    row.secret = "other"
    with pytest.raises(FieldError):
        vault.objects.bulk_update([row], ["secret"])


def test_rotation_rewrites_every_secret_under_the_first_key(vault, settings):
    rows = [vault.objects.create(secret=f"secret {number}") for number in range(3)]
    vault.objects.create(secret=None)
    settings.BRAINOPS_ENCRYPTION_KEYS = {"fresh": b"f" * 32, **settings.BRAINOPS_ENCRYPTION_KEYS}

    report = rotation.Report()
    rewritten = rotation.rotate_place(rotation.Place(Vault, Vault._meta.get_field("secret")), report, batch=2)

    settings.BRAINOPS_ENCRYPTION_KEYS = {"fresh": b"f" * 32}
    assert (rewritten, report.unreadable) == (3, [])
    assert [vault.objects.get(pk=row.pk).secret for row in rows] == ["secret 0", "secret 1", "secret 2"]


@pytest.mark.parametrize("value", [{"a": "\0"}, ["\ud800"], {"\0": 1}, [1 << 70]])
def test_json_that_postgresql_or_a_reader_cannot_take_is_refused_before_it_gets_there(vault, value):
    with pytest.raises(MalformedJson):
        vault.objects.create(data=value)


def test_json_that_can_be_stored_is(vault):
    row = vault.objects.create(data={"a": [1, 2.5, None, "é", "\\u0000"]})

    assert vault.objects.get(pk=row.pk).data == {"a": [1, 2.5, None, "é", "\\u0000"]}


@pytest.mark.parametrize("number", [1e45, -1e20, 18446744073709551616.0, 1.7976931348623157e308])
def test_a_large_float_comes_back_as_a_float_that_can_be_answered(vault, number):
    row = vault.objects.create(data={"a": number})

    kept = vault.objects.get(pk=row.pk).data

    assert (kept, type(kept["a"])) == ({"a": number}, float)
    assert orjson.loads(orjson.dumps(kept)) == kept
