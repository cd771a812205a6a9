"""Every JSON column of ours is behind the gate: what no reader can take never gets into the database."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from brainops.core.errors import MalformedJson
from brainops.core.fields import JsonField

OURS = ("brainops.", "integrations", "automation", "webhooks")
FIELDS = sorted(
    (
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if model.__module__.startswith(OURS) and isinstance(field, models.JSONField)
    ),
    key=lambda field: (field.model._meta.label, field.name),
)


def test_no_model_of_ours_has_a_json_field_without_the_gate():
    bare = [f"{field.model._meta.label}.{field.name}" for field in FIELDS if not isinstance(field, JsonField)]

    assert bare == []
    assert len(FIELDS) >= 40


@pytest.mark.parametrize("value", [{"a": "\0"}, ["\ud800"], {"\0": 1}, [1 << 70]], ids=["nul", "half", "key", "huge"])
def test_every_one_refuses_what_postgresql_or_a_reader_cannot_take(value):
    taken = []
    for field in FIELDS:
        try:
            field.get_prep_value(value)
        except MalformedJson:
            continue
        taken.append(f"{field.model._meta.label}.{field.name}")

    assert taken == []
