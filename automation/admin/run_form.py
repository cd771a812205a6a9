"""The form that starts a run by hand: fields made from the inputs that the workflow declares, or a text of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from automation.admin import workflow_page
from automation.services import forms
from automation.services.forms import Field
from brainops.core import json_gate
from brainops.core.errors import AppError, InvalidInput

AS_FIELDS, AS_JSON = "fields", "json"

Json = Any


@dataclass(frozen=True, slots=True)
class RunForm:
    """What the page shows and what was entered. `chosen` says which of both ways counts."""

    schema: Mapping[str, Json] | None
    fields: list[Field]
    text: str
    chosen: str
    posted: Mapping[str, str]

    def inputs(self) -> dict[str, Json]:
        """The inputs that were entered. Raises InvalidInput for what is no number and no JSON object."""
        if self.chosen == AS_FIELDS and self.schema is not None:
            data: dict[str, Json] = forms.read(self.schema, self.posted)
            return data
        value = json_gate.read(self.text.encode() or b"{}")
        if not isinstance(value, dict):
            raise InvalidInput(f"Inputs are a JSON object in braces, got {orjson.dumps(value).decode()[:60]}.")
        return value


def read(definition: Mapping[str, Json], posted: Mapping[str, str] | None) -> RunForm:
    """The form of a workflow with what was posted, else with its defaults. A posted `inputs` counts before fields."""
    declared = definition.get("inputs") or {}
    schema = declared if declared.get("properties") else None
    sample = workflow_page.sample_inputs(definition)
    if posted is None:
        begun = forms.fields(_begun(schema, orjson.loads(sample)))
        return RunForm(schema, begun, sample, AS_FIELDS if schema else AS_JSON, {})
    text = posted.get("inputs", "")
    chosen = AS_JSON if text.strip() or schema is None else AS_FIELDS
    return RunForm(schema, forms.fields(schema, posted), text, chosen, posted)


def _begun(schema: Mapping[str, Json] | None, sample: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The schema with the first example of what is required as its default."""
    if schema is None:
        return None
    rules = {name: rule if isinstance(rule, dict) else {} for name, rule in schema["properties"].items()}
    begun = {name: {**rule, "default": sample[name]} if name in sample else rule for name, rule in rules.items()}
    return {**schema, "properties": begun}


def refused(form: RunForm, refusal: AppError) -> RunForm:
    """The form with what is wrong beside each field."""
    said: dict[str, str] = {}
    for problem in refusal.problems:
        said.setdefault(str(problem.pointer).removeprefix("/inputs/").partition("/")[0], problem.message)
    return replace(form, fields=[replace(one, problem=said.get(one.name, "")) for one in form.fields])
