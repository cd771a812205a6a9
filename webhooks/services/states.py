"""What this process remembers about endpoints, so that a delivery costs no query before its one statement.

A remembered state may be old: every statement of the intake checks it in the database (`store/current.py`) and the
caller reads again when it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from automation.engine.durations import parse_duration
from automation.engine.inputs import Inputs
from automation.engine.plan import PlanError, PlanSettings, settings_of
from brainops.core import clock
from brainops.core.errors import NotFound
from webhooks.models import WebhookEndpoint
from webhooks.services import texts
from webhooks.services.answering import AT_ONCE, Answering, answering_of
from webhooks.services.fronts import PLAIN, Front, front_of
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Scheme
from webhooks.store.event import State

MOST_STATES = 2000  # endpoints remembered per process


@dataclass(frozen=True, slots=True)
class EndpointState:
    """Everything that judging a delivery needs."""

    stored: State
    trigger_id: UUID
    workflow_id: UUID
    scheme: Scheme
    secret: str | None
    previous_secret: str | None
    previous_valid_until: datetime | None
    tolerance_seconds: int
    max_body_bytes: int
    event_types: frozenset[str]
    wait_seconds: float  # 0 when the caller is answered at once
    inputs: Inputs
    takes_body_as_inputs: bool
    fixed_inputs: Mapping[str, Any]
    timeout_seconds: float | None
    calls_on_failure: bool
    settings: PlanSettings
    read_at: float  # on the monotonic clock
    options: Mapping[str, Any] = field(default_factory=dict)  # the scheme's own
    url: str = ""  # the public address
    front: Front = PLAIN
    answering: Answering = AT_ONCE
    can_start: bool = True  # once it is switched on: the workflow has a version and is not archived
    is_buffering: bool = False  # earlier deliveries wait: later ones queue up behind them
    input_types: Mapping[str, str] = field(default_factory=dict)  # of the declared inputs that are no text
    condition: str = ""  # of the trigger: a run starts only if it holds

    @property
    def is_active(self) -> bool:
        """True while its trigger and its workflow are switched on."""
        return self.stored.trigger_is_active and self.stored.workflow_is_active

    def secrets_at(self, moment: datetime) -> tuple[str, ...]:
        """The secrets that are good at a moment."""
        is_grace = self.previous_valid_until is not None and moment < self.previous_valid_until
        candidates = (self.secret, self.previous_secret if is_grace else None)
        return tuple(secret for secret in candidates if secret)

    def ended_secret(self, moment: datetime) -> str | None:
        """The secret before the present one when it is no longer taken."""
        is_over = self.previous_valid_until is not None and moment >= self.previous_valid_until
        return self.previous_secret if is_over else None


def load(endpoint_id: UUID) -> EndpointState:
    """Read an endpoint with its trigger, workflow and version: one query. Raises NotFound."""
    related = ("trigger", "trigger__workflow", "trigger__workflow__current_version")
    endpoint = WebhookEndpoint.objects.select_related(*related).filter(id=endpoint_id).first()
    if endpoint is None:
        raise unknown()
    return state_of(endpoint)


def unknown() -> NotFound:
    """The one answer for every address that is no endpoint's."""
    return NotFound("There is no webhook at this address.")


def state_of(endpoint: WebhookEndpoint) -> EndpointState:
    """The state of a row that was read with its trigger, workflow and version."""
    trigger, workflow = endpoint.trigger, endpoint.trigger.workflow
    version = workflow.current_version
    definition = version.definition if version else {}
    timeout = definition.get("settings", {}).get("timeout")
    schema = definition.get("inputs") or {}
    stored = State(
        endpoint_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        revision=endpoint.revision,
        trigger_is_active=trigger.is_active,
        workflow_is_active=workflow.is_active and workflow.archived_at is None,
        version_id=version.id if version else None,
    )
    answering = answering_of(endpoint.answer, endpoint.wait_seconds, trigger.config)
    return EndpointState(
        stored=stored,
        trigger_id=trigger.id,
        workflow_id=workflow.id,
        scheme=all_schemes()[endpoint.scheme],
        secret=endpoint.secret,
        previous_secret=endpoint.previous_secret,
        previous_valid_until=endpoint.previous_valid_until,
        tolerance_seconds=endpoint.tolerance_seconds,
        max_body_bytes=endpoint.max_body_bytes,
        event_types=frozenset(endpoint.event_types),
        wait_seconds=answering.wait_seconds,
        inputs=Inputs(schema),
        takes_body_as_inputs=bool(schema.get("properties")),
        fixed_inputs=trigger.inputs,
        timeout_seconds=parse_duration(timeout) if timeout else None,
        settings=_settings(definition),
        calls_on_failure="on_failure" in definition.get("settings", {}),
        read_at=clock.monotonic(),
        options=endpoint.options,
        url=endpoint.url,
        front=front_of(trigger.config),
        answering=answering,
        can_start=version is not None and workflow.archived_at is None,
        is_buffering=endpoint.is_buffering,
        input_types=texts.types_of(schema),
        condition=trigger.condition,
    )


def _settings(definition: Mapping[str, Any]) -> PlanSettings:
    """Where runs of the definition go. One that cannot be planned fails as a run, not as a delivery."""
    try:
        return settings_of(definition) if definition.get("settings") else PlanSettings()
    except PlanError:
        return PlanSettings()


class States:
    """The remembered states of one process; thread-safe."""

    def __init__(self, *, most: int = MOST_STATES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._states: OrderedDict[UUID, EndpointState] = OrderedDict()

    def get(self, endpoint_id: UUID) -> EndpointState:
        """The remembered state, else the one in the database. Raises NotFound."""
        return self._states.get(endpoint_id) or self.read(endpoint_id)

    def __contains__(self, endpoint_id: UUID) -> bool:
        return endpoint_id in self._states

    def read(self, endpoint_id: UUID) -> EndpointState:
        """The state in the database, remembered from now on. Raises NotFound."""
        try:
            state = load(endpoint_id)
        except NotFound:
            with self._lock:
                self._states.pop(endpoint_id, None)
            raise
        with self._lock:
            self._states[endpoint_id] = state
            while len(self._states) > self._most:
                self._states.popitem(last=False)
        return state

    def forget_all(self) -> None:
        """Forget everything (for tests, and after a restore)."""
        with self._lock:
            self._states.clear()


known = States()
