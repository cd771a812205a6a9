"""GET /catalogue: every kind of step and trigger of this installation, with its schema and examples."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from automation.engine.catalogue import describe
from automation.steps import all_kinds
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import TriggerKind
from brainops.accounts.api.scope import CallerView
from brainops.core.api.etag import entity_tag
from brainops.core.api.public import ANY_CALLER

IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag you have.")


class StepKindShape(serializers.Serializer[Any]):
    """A kind of step."""

    key = serializers.CharField(help_text="What `uses` names.")
    title = serializers.CharField()
    description = serializers.CharField()
    group = serializers.CharField()
    icon = serializers.CharField(help_text="A Material Symbols name.")
    effect = serializers.ChoiceField(["pure", "read", "create", "update", "delete", "send"])
    idempotency = serializers.ChoiceField(["natural", "key", "none"])
    is_effect_dynamic = serializers.BooleanField(help_text="The configuration of a step may decide another effect.")
    default_timeout_seconds = serializers.FloatField()
    lazy = serializers.ListField(child=serializers.CharField(), help_text="Keys of `with` evaluated for each item.")
    ports = serializers.ListField(child=serializers.CharField(), help_text="Outcomes, of the first example.")
    config_schema = serializers.DictField(help_text="JSON Schema of `with`.")
    output_schema = serializers.DictField(help_text="JSON Schema of the output.")
    examples = serializers.ListField(child=serializers.DictField())


class TriggerKindShape(serializers.Serializer[Any]):
    """A kind of trigger."""

    key = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    icon = serializers.CharField()
    config_schema = serializers.DictField(help_text="JSON Schema of `config`.")
    secret_keys = serializers.ListField(child=serializers.CharField(), help_text="Keys that are never shown again.")
    examples = serializers.ListField(child=serializers.DictField())


class Catalogue(serializers.Serializer[Any]):
    """Everything that can stand in a workflow or start one."""

    steps = StepKindShape(many=True)
    triggers = TriggerKindShape(many=True)


class CatalogueView(CallerView):
    """The catalogue. It changes with the release only, so it carries an ETag."""

    permissions = {"get": ANY_CALLER}

    @extend_schema(
        summary="List the kinds of steps and triggers",
        tags=["Workflows"],
        parameters=[IF_NONE_MATCH],
        responses={200: Catalogue, 304: OpenApiResponse(description="You have it already.")},
    )
    def get(self, request: Request) -> HttpResponse:
        """What workflows are made of."""
        body, tag = _document()
        if request.META.get("HTTP_IF_NONE_MATCH") == tag:
            return HttpResponse(status=304, headers={"ETag": tag})
        return HttpResponse(body, content_type="application/json", headers={"ETag": tag})


@cache
def _document() -> tuple[bytes, str]:
    kinds = {
        "steps": [describe(kind) for kind in all_kinds().values()],
        "triggers": [_trigger_kind(kind) for kind in all_trigger_kinds().values()],
    }
    body = orjson.dumps(kinds, option=orjson.OPT_NON_STR_KEYS, default=dict)
    return body, entity_tag(sha256(body).hexdigest()[:16])


def _trigger_kind(kind: TriggerKind) -> dict[str, Any]:
    return {
        "key": kind.key,
        "title": kind.title,
        "description": kind.description,
        "icon": kind.icon,
        "config_schema": kind.config_schema,
        "secret_keys": sorted(kind.secret_keys),
        "examples": list(kind.examples),
    }
