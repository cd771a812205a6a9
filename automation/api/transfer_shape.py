"""How the API shows exports and imports that a worker does, and what an import did with each workflow."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from automation.models import Direction, Transfer, TransferItem, TransferState
from automation.services.exchange.form import FORMS
from automation.services.exchange.plans import Action, Strategy


class TransferProgressShape(serializers.Serializer[Any]):
    """How far it is, in workflows."""

    total = serializers.IntegerField(help_text="0 while an import's file has not been read once.")
    done = serializers.IntegerField()


class TransferShape(serializers.Serializer[Any]):
    """An export or import that a worker does."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(TransferState.choices)
    format = serializers.ChoiceField([*FORMS])
    options = serializers.DictField(help_text="What was asked.")
    progress = TransferProgressShape()
    counts = serializers.DictField(help_text="What is in the file, or what the import did; of an import also the ids.")
    size = serializers.IntegerField(help_text="Bytes of the file.")
    checksum = serializers.CharField(help_text="Of an export's workflows; empty until it is done.")
    error = serializers.DictField(allow_null=True, help_text="Why it failed: code, message, problems.")
    created_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(help_text="When it is deleted with its file.")
    url = serializers.CharField()
    download_url = serializers.CharField(allow_null=True, help_text="Of an export that is done.")


class ReasonShape(serializers.Serializer[Any]):
    """One thing to know, and the place in the file it is about."""

    code = serializers.CharField()
    message = serializers.CharField()
    pointer = serializers.CharField()


class ImportedShape(serializers.Serializer[Any]):
    """What an import did, or would do, with one workflow of its file."""

    index = serializers.IntegerField(help_text="Its place in the file, from 0.")
    key = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    action = serializers.ChoiceField(
        [action.value for action in Action],
        help_text="`skip`: it is here already and stays. `unchanged`: it is so already. `conflict`: the file does not "
        "say which workflow here it means. `refused`: something is wrong with it.",
    )
    workflow_id = serializers.UUIDField(allow_null=True, help_text="The workflow here.")
    version = serializers.CharField(allow_null=True, help_text="The number of its newest version then.")
    versions_added = serializers.IntegerField()
    triggers_added = serializers.IntegerField()
    triggers_removed = serializers.IntegerField()
    reasons = ReasonShape(many=True, help_text="Why it was not imported.")
    notes = ReasonShape(many=True, help_text="What was left out of it.")
    missing = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Names it needs that are not here: `kinds`, `connections`, `variables`, `secrets`.",
    )
    shown_once = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="New webhooks with their address and secret. In this answer only.",
    )


class ImportShape(serializers.Serializer[Any]):
    """What an import did, or would do."""

    dry_run = serializers.BooleanField()
    strategy = serializers.ChoiceField([strategy.value for strategy in Strategy])
    applied = serializers.BooleanField(help_text="False: nothing was changed.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Workflows by action.")
    missing = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Names that are not here, by sort."
    )
    ids = serializers.DictField(child=serializers.UUIDField(), help_text="The id here for each key of the file.")
    results = ImportedShape(many=True)


TRANSFER_MEMBERS = tuple(TransferShape().fields)


def show(transfer: Transfer) -> dict[str, Any]:
    """A transfer as the API shows it."""
    is_export = transfer.direction == Direction.EXPORT
    url = f"{settings.BRAINOPS_API_PREFIX}/{'exports' if is_export else 'imports'}/{transfer.id}"
    return {
        "id": transfer.id,
        "state": transfer.state,
        "format": transfer.format,
        "options": {name: value for name, value in transfer.options.items() if name != "by" and value is not None},
        "progress": {"total": transfer.total, "done": transfer.done},
        "counts": transfer.counts,
        "size": transfer.size,
        "checksum": transfer.checksum,
        "error": transfer.error,
        "created_by": transfer.created_by_id,
        "created_at": transfer.created_at,
        "finished_at": transfer.finished_at,
        "expires_at": transfer.expires_at,
        "url": url,
        "download_url": f"{url}/download" if is_export and transfer.state == TransferState.DONE else None,
    }


def show_item(item: TransferItem) -> dict[str, Any]:
    """What was done with one workflow."""
    return dict(item.report)
