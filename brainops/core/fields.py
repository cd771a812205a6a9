"""Model fields for what must not stand in the database as it came: secrets, and JSON from outside."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import FieldError
from django.db import models

from brainops.core import crypto, json_gate, redact


class Encrypted(str):
    """The stored form of a secret: what is in the database, never what is meant."""

    __slots__ = ()


class _Secret:
    """Descriptor of an encrypted field: decrypts when somebody reads the attribute, not when a row is loaded."""

    def __init__(self, field: EncryptedTextField) -> None:
        self._field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        name = self._field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])  # it was deferred
        value = instance.__dict__[name]
        if not isinstance(value, Encrypted):
            return value
        plaintext = crypto.key_ring().decrypt(value, associated=self._field.associated_data(instance))
        redact.register(plaintext)
        return plaintext

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self._field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # generic in the stubs only
    """A text that is encrypted at rest, bound to its table, row and field.

    Read it as late as possible: reading decrypts and registers the value for redaction. It can be set on an instance
    and saved; it cannot be filtered by, and `QuerySet.update()` refuses it (there is no row to bind it to).
    The primary key has to be known before saving, so use a UUID.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("editable", False)  # no form shows a secret by accident
        super().__init__(*args, **options)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Put the decrypting attribute on the model."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Secret(self))

    def associated_data(self, instance: models.Model) -> str:
        """What the ciphertext is bound to."""
        if instance.pk is None:
            raise FieldError(f"{self.model.__name__}.{self.name} needs a primary key before it is saved; use a UUID.")
        return f"{self.model._meta.db_table}:{instance.pk}:{self.name}"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Encrypted | None:
        """Mark a loaded value as the stored form."""
        return None if value is None else Encrypted(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Encrypted | None:
        """The stored form to write; encrypts a value that was set since the row was loaded."""
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Encrypted):
            return value
        redact.register(str(value))
        stored = Encrypted(crypto.key_ring().encrypt(str(value), associated=self.associated_data(model_instance)))
        model_instance.__dict__[self.attname] = stored
        return stored

    def get_prep_value(self, value: Any) -> str | None:
        """Refuse every way into the database that did not encrypt."""
        if value is None or isinstance(value, Encrypted):
            return value
        raise FieldError(f"{self.model.__name__}.{self.name} is encrypted: set it on an instance and save that.")

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull` makes sense on a ciphertext."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        """The stored form, for dumps."""
        return str(obj.__dict__.get(self.attname) or "")


class JsonField(models.JSONField):
    """JSON that PostgreSQL can store and orjson can write: the gate's rules, checked again on the way in."""

    def get_prep_value(self, value: Any) -> Any:
        """Refuse NUL, lone surrogates and integers beyond 64 bits. Raises MalformedJson."""
        if value is not None and not hasattr(value, "as_sql"):
            json_gate.encode(value)
        return super().get_prep_value(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Read as the workers read: a whole number beyond 64 bits is a float.

        PostgreSQL writes 1e45 back as a 1 with 45 zeros, which json.loads takes for an integer that no JSON writer of
        ours can write: the row, and every list with it, could not be answered any more.
        """
        return orjson.loads(value) if isinstance(value, str) else value
