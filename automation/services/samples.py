"""Load the gallery's workflows into a workspace, each once."""

from __future__ import annotations

from django.db import transaction

from automation.gallery import Sample, all_samples
from automation.models import Workflow
from automation.services import workflows
from automation.services.workflow_drafts import read_draft
from brainops.accounts.caller import Caller
from brainops.accounts.models import Workspace

MARK = "sample"  # the key in meta_data that says which sample a workflow was made from


def load(caller: Caller) -> dict[str, Workflow]:
    """Create the samples that the caller's workspace lacks; return all of them by key.

    What people made of a sample stays: a workflow with its mark counts, whatever it became.
    """
    with transaction.atomic():
        # two launchers may get here: the second waits for the first one's commit and then finds its rows
        Workspace.objects.select_for_update().get(id=caller.workspace())
        rows = Workflow.objects.filter(workspace_id=caller.workspace(), meta_data__has_key=MARK).order_by("-created_at")
        known = {row.meta_data[MARK]: row for row in rows}
        return {sample.key: known.get(sample.key) or _create(caller, sample) for sample in all_samples()}


def _create(caller: Caller, sample: Sample) -> Workflow:
    return workflows.create(caller, read_draft({**sample.body, "meta_data": {MARK: sample.key}}))
