"""Check what a notice rule is made of; every problem at once, with the place in the body it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from automation.engine.notices import RUN_SLOW
from automation.models import NoticeChannel, NoticeScope, Workflow
from automation.services.notice_people import is_anybody
from automation.services.rights import require_on_workflow
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core import mail
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.errors import InvalidInput, NotFound, Problem

Json = Any

# What belongs to one channel or scope only, and what it is when there is none of it.
OF_CHANNEL: Mapping[str, Mapping[str, Json]] = {
    NoticeChannel.EMAIL: {"recipients": []},
    NoticeChannel.WEBHOOK: {"url": ""},
    NoticeChannel.WORKFLOW: {"start_workflow_id": None},
}
OF_SCOPE: Mapping[str, Mapping[str, Json]] = {
    NoticeScope.ALL: {},
    NoticeScope.TAG: {"tag": ""},
    NoticeScope.WORKFLOWS: {"workflow_ids": []},
}


def check(caller: Caller, said: Mapping[str, Json]) -> None:
    """Check the whole of a rule. Raises InvalidInput with every problem."""
    found = [
        *_only_of("channel", OF_CHANNEL, said),
        *_only_of("scope", OF_SCOPE, said),
        *_channel_problems(caller, said),
        *_scope_problems(caller, said),
        *_slow_problems(said),
        *_quiet_problems(said["quiet_hours"]),
    ]
    if found:
        raise InvalidInput.from_problems(found)


def _only_of(name: str, members: Mapping[str, Mapping[str, Json]], said: Mapping[str, Json]) -> Iterator[Problem]:
    """What the chosen channel or scope needs, and what belongs to another one."""
    for choice, owned in members.items():
        for member, nothing in owned.items():
            if choice == said[name] and said[member] == nothing:
                yield Problem("required", f'"{member}" is required for {name} "{choice}". Add it.', f"/{member}")
            if choice != said[name] and said[member] != nothing:
                message = f'"{member}" belongs to {name} "{choice}"; this rule has "{said[name]}". Leave it out.'
                yield Problem("unexpected", message, f"/{member}")


def _channel_problems(caller: Caller, said: Mapping[str, Json]) -> Iterator[Problem]:
    if said["channel"] == NoticeChannel.EMAIL:
        if not mail.has_server():
            message = "This installation sends no mail: BRAINOPS_EMAIL_URL is not set. Choose another channel."
            yield Problem("no_mail_server", message, "/channel")
        for index, recipient in enumerate(said["recipients"]):
            if reason := _refusal_of(caller, recipient):
                yield Problem("nobody", reason, f"/recipients/{index}")
    if said["channel"] == NoticeChannel.WEBHOOK and said["url"]:
        try:
            http.check(said["url"])
        except EgressError as error:
            yield Problem(error.code, error.message, "/url")
    if said["channel"] == NoticeChannel.WORKFLOW and said["start_workflow_id"]:
        try:
            require_on_workflow(caller, Permission.RUNS_EXECUTE, _known(caller, said["start_workflow_id"]))
        except NotFound:
            yield _unknown_workflow(said["start_workflow_id"], "/start_workflow_id")


def _refusal_of(caller: Caller, recipient: str) -> str | None:
    if ":" in recipient:
        if is_anybody(caller.workspace(), recipient):
            return None
        return f"Nobody in this workspace answers to {recipient!r}. Name a member, a role, a group or an address."
    try:
        validate_email(recipient)
    except ValidationError:
        return f"{recipient[:80]!r} is no e-mail address; write ada@example.com, user:ada or role:operator."
    if not recipient.isascii():
        return f"{recipient[:80]!r} holds other characters than ASCII; mail servers would not take it."
    return None


def _scope_problems(caller: Caller, said: Mapping[str, Json]) -> Iterator[Problem]:
    wanted = [as_id(id_) for id_ in said["workflow_ids"]]
    rows = Workflow.objects.filter(id__in=[id_ for id_ in wanted if id_], workspace_id=caller.workspace())
    known = set(rows.values_list("id", flat=True)) if wanted else set()
    for index, id_ in enumerate(wanted):
        if id_ not in known:
            yield _unknown_workflow(said["workflow_ids"][index], f"/workflow_ids/{index}")


def _slow_problems(said: Mapping[str, Json]) -> Iterator[Problem]:
    if RUN_SLOW in said["events"] and said["slow_seconds"] is None:
        message = f'"{RUN_SLOW}" needs "slow_seconds": which runs are slow?'
        yield Problem("required", message, "/slow_seconds")


def _quiet_problems(quiet: Mapping[str, Json] | None) -> Iterator[Problem]:
    if quiet and quiet.get("timezone", "UTC") not in _zones():
        message = f"There is no time zone {quiet['timezone'][:60]!r}. Write one like Europe/Berlin."
        yield Problem("unknown_timezone", message, "/quiet_hours/timezone")


def as_id(text: str) -> UUID | None:
    """The id that a text stands for; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _known(caller: Caller, workflow_id: str) -> UUID:
    rows = Workflow.objects.filter(id=as_id(workflow_id) or UUID(int=0), workspace_id=caller.workspace())
    found = rows.values_list("id", flat=True).first()
    if found is None:
        raise NotFound
    return found


@cache
def _zones() -> frozenset[str]:
    """Reading them takes some 20 ms."""
    return frozenset(available_timezones())


def _unknown_workflow(id_: str, pointer: str) -> Problem:
    return Problem("not_found", f"There is no workflow {str(id_)[:60]!r} in this workspace.", pointer)
