"""Serializers that are closed: a key nobody asked for is refused, not dropped (security rule R8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request


class ClosedSerializer(serializers.Serializer[Any]):
    """Refuses unknown keys and keys that cannot be written, together with every other mistake."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. Raises ValidationError with all mistakes."""
        strange = self._strange_keys(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            found = error.detail if isinstance(error.detail, dict) else {}
            raise ValidationError({**found, **strange}) from error
        if strange:
            raise ValidationError(strange)
        return value

    def _strange_keys(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        strange = {}
        for key in data:
            field = self.fields.get(key)
            if field is None:
                strange[key] = [ErrorDetail(f"{key!r} is not known here. Remove it.", code="unknown_key")]
            elif field.read_only:
                strange[key] = [ErrorDetail(f"{key!r} cannot be set. Remove it.", code="read_only")]
        return strange


class Nothing(ClosedSerializer):
    """The body of a request that says all by its address: none, or an empty object."""


def expect_nothing(request: Request) -> None:
    """Refuse a body where there is nothing to say. Raises ValidationError that names every member."""
    Nothing(data=request.data or {}).is_valid(raise_exception=True)


class ClosedModelSerializer(ClosedSerializer, serializers.ModelSerializer[Any]):
    """The same for models. `Meta.fields` must be a list of names, never `__all__`."""
