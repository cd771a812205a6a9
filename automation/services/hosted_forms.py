"""Hosted forms: pages that anybody may fill in. Each submission starts at most one run, also when it is sent twice.

Against programs that fill in what they find: a token that only our page holds and that is good once and for a day, a
field that people do not see, a least time, and a number of submissions an hour from one network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.core import signing
from django.db import connection, transaction

from automation.models import Trigger, WorkflowVersion
from automation.models.arrival import ArrivalDecision
from automation.services import arrivals, forms
from automation.services.arrivals import Arrived, Listening
from automation.services.forms import Field, Json
from automation.store import bell
from automation.triggers.contract import Item
from automation.triggers.form import closes_at
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from brainops.core.ordered_ids import new_ordered_id
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.rates import require

KIND = "form"
SALT = "automation.hosted_forms"
TOKEN, BAIT = "token", "website"  # names of fields; the second is hidden from people
TOKEN_SECONDS = 86_400
AT_ONCE = 5  # submissions from one network, of those of an hour


@dataclass(frozen=True, slots=True)
class HostedForm:
    """A form ready to be shown."""

    trigger: Trigger
    version: WorkflowVersion
    schema: Mapping[str, Json] | None

    @property
    def config(self) -> Mapping[str, Json]:
        """Its texts and limits."""
        config: Mapping[str, Json] = self.trigger.config
        return config

    def fields(self, posted: Mapping[str, str] | None = None) -> list[Field]:
        """The fields, with what was entered."""
        return forms.fields(self.schema, posted, is_ordered="fields" in self.config) if self.schema else []


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a submission. `problems` maps fields to what is wrong with them; "" stands for the whole."""

    is_taken: bool
    problems: Mapping[str, str] = field(default_factory=dict)


def find(trigger_id: UUID) -> HostedForm:
    """An open form. Raises NotFound, and Conflict (`form_closed`)."""
    rows = Trigger.objects.select_related("workflow__current_version").filter(id=trigger_id, kind=KIND)
    trigger = rows.first()
    if trigger is None:
        raise NotFound("There is no form at this address.")
    workflow = trigger.workflow
    ends = closes_at(trigger.config)
    is_open = trigger.is_active and workflow.is_active and workflow.archived_at is None
    if not is_open or workflow.current_version is None or (ends is not None and clock.now() >= ends):
        raise Conflict("This form is closed.", code="form_closed")
    return HostedForm(trigger, workflow.current_version, _schema(trigger, workflow.current_version))


def new_token(form: HostedForm) -> str:
    """A token for one submission of this form from now on."""
    return signing.dumps([str(form.trigger.id), new_ordered_id().hex, int(clock.now().timestamp())], salt=SALT)


def is_good(form: HostedForm, token: str) -> bool:
    """True for a token of this form that has not expired."""
    return _read_token(form, token)[0] is not None


def submit(form: HostedForm, posted: Mapping[str, str], *, network: str) -> Answer:
    """Take a submission.

    Raises TooManyRequests for a network that sends too many, Unavailable while a limit or a quota lets no run in.
    """
    _require_pace(form, network)
    key, age = _read_token(form, posted.get(TOKEN, ""))
    if key is None:
        return Answer(False, {"": "This page was open for too long. Please look through it and send it once more."})
    if age < form.config["min_seconds"]:
        return Answer(False, {"": "That was very quick. Please look through it and send it once more."})
    if posted.get(BAIT):
        _take(form, Item(key, {}, refused="A field that people do not see was filled in."))
        return Answer(True)  # a program learns nothing
    try:
        data = forms.read(form.schema, posted) if form.schema else {}
        arrived = _take(form, Item(key, data, at=clock.now()), is_checked=True)
    except InvalidInput as refusal:
        return Answer(False, _by_field(form, refusal))
    return _answer(arrived)


def shown(form: HostedForm, posted: Mapping[str, str], answer: Answer) -> list[Field]:
    """The fields with what was entered and what is wrong with each."""
    return [replace(one, problem=answer.problems.get(one.name, "")) for one in form.fields(posted)]


def _answer(arrived: Arrived) -> Answer:
    if arrived.waits:
        raise Unavailable("Just now nothing more can be taken. Please send it again in a minute.")
    if arrived.decision in (ArrivalDecision.INACTIVE, ArrivalDecision.REFUSED):
        return Answer(False, {"": "This could not be taken. Please tell whoever sent you here."})
    return Answer(True)


def _take(form: HostedForm, item: Item, *, is_checked: bool = False) -> Arrived:
    """Bring it to the trigger. Raises InvalidInput for inputs that do not fit, when that is to be checked."""
    with transaction.atomic(), connection.cursor() as cursor:
        heard = arrivals.listening(cursor, [form.trigger.id])
        if not heard:
            raise NotFound("There is no form at this address.")
        if is_checked and heard[0].may_run:
            _check(heard[0], item)
        (arrived,) = arrivals.take(cursor, heard[0], [item])
    bell.ring()
    return arrived


def _check(heard: Listening, item: Item) -> None:
    version = arrivals.version_of(heard)
    version.checked(arrivals.inputs_of(version, heard, item.data), pointer="")


def _schema(trigger: Trigger, version: WorkflowVersion) -> Mapping[str, Json] | None:
    """What people are asked for: the inputs that the trigger names, else all; none that it fixes. None for no field."""
    declared = version.definition.get("inputs") or {}
    rules = declared.get("properties", {})
    names = [name for name in trigger.config.get("fields", rules) if name in rules and name not in trigger.inputs]
    properties = {name: rules[name] for name in names}
    if not properties:
        return None
    required = [name for name in declared.get("required", []) if name in properties]
    return {**declared, "properties": properties, "required": required}


def _read_token(form: HostedForm, text: str) -> tuple[str | None, float]:
    """The name of the submission and the age of its page in seconds; no name for a token that is none of ours."""
    try:
        about, key, begun = signing.loads(text, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None, 0.0
    return (key, clock.now().timestamp() - begun) if about == str(form.trigger.id) else (None, 0.0)


def _require_pace(form: HostedForm, network: str) -> None:
    per_hour: int = form.config["per_hour"]
    owner = f"{form.trigger.workspace_id}:{form.trigger.id}:{network}"
    require(Bucket("form-submissions", owner, per_hour / 3600, min(AT_ONCE, per_hour)))


def _by_field(form: HostedForm, refusal: InvalidInput) -> dict[str, str]:
    names = {one.name for one in form.fields()}
    found: dict[str, str] = {}
    for problem in refusal.problems:
        first = _first(problem.pointer)
        found.setdefault(first if first in names else "", problem.message)
    return found or {"": refusal.message}


def _first(pointer: str) -> str:
    return pointer.removeprefix("/").partition("/")[0].replace("~1", "/").replace("~0", "~")
