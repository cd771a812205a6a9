"""What a step would be given: rendered as in a run, and as far as it goes where answers were made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.document.parse import parse_document
from automation.engine.dry_run.doubt import Doubt
from automation.engine.dry_run.lenient import Lenient
from automation.engine.dry_run.report import Unresolved
from automation.engine.effects import effect_of
from automation.engine.kinds import Fail
from automation.engine.planned import PlannedStep
from automation.engine.prepare import Prepared

Json = Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A `with` to show. `unresolved` are the expressions that stand in it as written; with any it is no certain one."""

    config: Mapping[str, Json]
    unresolved: tuple[str, ...] = ()
    is_certain: bool = True

    def prepared(self, step: PlannedStep) -> Prepared:
        """The `with` for the driver; without the fields in doubt when the kind cannot tell its effect with them."""
        try:
            effect_of(step.kind, self.config)
        except (LookupError, TypeError, ValueError, AttributeError):
            doubtful = {key for key, value in self.config.items() if _holds(value, self.unresolved)}
            return Prepared({key: value for key, value in self.config.items() if key not in doubtful})
        return Prepared(self.config)


def written_configs(definition: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """The `with` of every step as written, by id; of a call its `call`."""
    steps = parse_document(definition).steps()
    return {step.id: step.part("call") if "call" in step.fields else step.config for step in steps}


def container_templates(definition: Mapping[str, Json]) -> dict[str, tuple[Json, ...]]:
    """What the containers evaluate themselves, by id."""
    steps = parse_document(definition).steps()
    return {
        step.id: (step.part("for_each").get("items"), step.part("while").get("when"), step.fields.get("output"))
        for step in steps
    }


def draft_of(
    step: PlannedStep, written: Mapping[str, Json], failure: Fail, scope: Mapping[str, Json], doubt: Doubt, prefix: str
) -> tuple[Draft | None, list[Unresolved]]:
    """What can be shown of a step that cannot be prepared, and what is missing.

    No draft when a real run would fail here just as well.
    """
    lenient = Lenient(scope)
    config = {
        key: value if key in step.kind.lazy else lenient.render(value, f"/{key}") for key, value in written.items()
    }
    missing = list(_missing(step, failure, lenient, doubt, prefix))
    if not all(one.is_assumed for one in missing):
        return None, missing
    return Draft(config, tuple(error.expression for error in lenient.errors), is_certain=False), missing


def _missing(step: PlannedStep, failure: Fail, lenient: Lenient, doubt: Doubt, prefix: str) -> Iterator[Unresolved]:
    path, error = f"{prefix}{step.path}", failure.error
    if error.type != "expression":  # it does not fit the kind
        yield Unresolved(error.type, path, error.message, is_assumed=doubt.touches(step))
        return
    told = set()
    for one in lenient.errors:
        told.add(one.expression)
        is_assumed = doubt.explains(one)
        yield Unresolved(
            "unresolved_expression", path, one.message, one.expression, f"/with{one.pointer}", is_assumed=is_assumed
        )
    if error.details.get("expression") not in told:
        expression = error.details.get("expression")
        is_assumed = doubt.explains(error.details)
        yield Unresolved("unresolved_expression", path, error.message, expression, "/if", is_assumed=is_assumed)


def _holds(value: Json, texts: tuple[str, ...]) -> bool:
    if isinstance(value, str):
        return value in texts
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds(one, texts) for one in inner)
