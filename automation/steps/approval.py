"""approval: ask people, and go on when enough of them have answered or the time is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from automation.engine.checker import Checker, SchemaError
from automation.engine.commands import AskApproval
from automation.engine.kinds import (
    Call,
    Done,
    Effect,
    ErrorClass,
    Example,
    Fail,
    Kind,
    LogLine,
    Outcome,
    StepError,
    Wait,
)
from automation.steps._times import seconds_of, time_field

ASSIGNEE_PATTERN = r"^(user:\S{1,254}|role:(viewer|operator|builder|admin|owner)|group:.{1,150})$"
MOST_ASSIGNEES = 50
DECIDED = ("approved", "rejected")
EXPIRED = "expired"

Json = Any


def run(call: Call) -> Outcome:
    """Open the approval, or look at it: it is opened once, however often the step asks."""
    try:
        question = _question(call.config)
    except ValueError as error:
        return Fail(StepError("invalid_approval", str(error), ErrorClass.USER))
    answer = call.perform(question)
    if answer["state"] == "pending":
        return _wait(question, answer)
    return Done(
        _output(answer),
        port=answer["state"],
        reason={"type": "approval", "approval": answer["id"], "state": answer["state"]},
        logs=(LogLine("info", _said(answer), {"approval": answer["id"]}),),
    )


def simulate(call: Call) -> Outcome:
    """Nobody is asked; the run goes on as if it were approved."""
    title = call.config["title"]
    line = LogLine("info", f"Would ask for approval: {title}", {"assignees": call.config.get("assignees", [])})
    return Done({"decided_by": "", "comment": "", "data": None, "votes": []}, port="approved", logs=(line,))


def normal(assignee: str) -> str:
    """An assignee in its one spelling: users and roles are compared without case."""
    scope, _, name = assignee.partition(":")
    return assignee if scope == "group" else f"{scope}:{name.lower()}"


def _question(config: Mapping[str, Json]) -> AskApproval:
    """What is asked. Raises ValueError for what nobody could answer."""
    escalate = config.get("escalate") or {}
    question = AskApproval(
        title=config["title"],
        message=config.get("message", ""),
        assignees=tuple(dict.fromkeys(map(normal, config.get("assignees", ())))),
        quorum=config.get("quorum", 1),
        form=config.get("form"),
        expires_seconds=seconds_of("expires", config.get("expires")),
        escalate_seconds=seconds_of("escalate.after", escalate.get("after")),
        escalate_to=tuple(dict.fromkeys(map(normal, escalate.get("to", ())))),
    )
    _refuse_unreachable(question)
    if question.form is not None:
        _refuse_wrong_form(question.form)
    return question


def _refuse_unreachable(question: AskApproval) -> None:
    people = {*question.assignees, *question.escalate_to}
    if question.assignees and all(one.startswith("user:") for one in people) and len(people) < question.quorum:
        said = f'"quorum" asks for {question.quorum} people, but only {len(people)} are assigned.'
        raise ValueError(f"{said} Name more, or a role or a group.")


def _refuse_wrong_form(form: Mapping[str, Json]) -> None:
    try:
        Checker(form, is_given=True)
    except SchemaError as error:
        raise ValueError(f'"form" is no JSON Schema for an object: {error}') from error


def _wait(question: AskApproval, answer: Mapping[str, Json]) -> Wait:
    details = {
        "approval": answer["id"],
        "title": question.title,
        "assignees": answer.get("assignees", list(question.assignees)),
        "quorum": question.quorum,
        "approvals": sum(vote["verdict"] == "approved" for vote in answer.get("votes") or ()),
    }
    logs = (LogLine("info", f"Asked for approval: {question.title}", details),) if answer.get("is_new") else ()
    return Wait("approval", _instant(answer.get("expires_at")), details, logs)


def _output(answer: Mapping[str, Json]) -> dict[str, Json]:
    said = {name: answer.get(name) or "" for name in ("decided_by", "comment")}
    return {**said, "data": answer.get("data"), "votes": answer.get("votes") or []}


def _said(answer: Mapping[str, Json]) -> str:
    if answer["state"] == EXPIRED:
        return "The approval expired: nobody decided in time."
    return f"{answer['state'].capitalize()} by {answer['decided_by']}."


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ports(config: Mapping[str, Json]) -> Iterable[str]:
    return (*DECIDED, EXPIRED) if "expires" in config else DECIDED


def _assignees(title: str, description: str, *examples: list[str]) -> dict[str, Json]:
    return {
        "title": title,
        "description": f"{description} Each is user:<name or e-mail address>, role:<role> or group:<name>.",
        "type": "array",
        "maxItems": MOST_ASSIGNEES,
        "items": {
            "type": "string",
            "pattern": ASSIGNEE_PATTERN,
            "x-hint": '"user:ada", "role:operator" or "group:sales"',
        },
        "examples": list(examples),
    }


_VOTE = {
    "type": "object",
    "required": ["voter", "verdict", "comment", "at"],
    "properties": {
        "voter": {"title": "Who", "type": "string"},
        "verdict": {"title": "Answer", "enum": list(DECIDED)},
        "comment": {"title": "Comment", "type": "string"},
        "data": {"title": "What this person entered"},
        "at": {"title": "When", "type": "string", "format": "date-time"},
    },
}

KIND = Kind(
    key="approval",
    title="Approval",
    description="Ask people to approve or reject. Holds no worker while it waits and survives restarts.",
    group="People",
    icon="front_hand",
    effect=Effect.CREATE,
    is_deterministic=False,
    ports=_ports,
    run=run,
    simulate=simulate,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {
            "title": {
                "title": "Title",
                "description": "What is to be decided, in a line.",
                "type": "string",
                "minLength": 1,
                "maxLength": 300,
                "examples": ["Refund {{ inputs.amount }} EUR to {{ inputs.customer }}?"],
            },
            "message": {
                "title": "Message",
                "description": "What people need to know to decide. Plain text.",
                "type": "string",
                "maxLength": 20_000,
            },
            "assignees": _assignees(
                "Assignees",
                "Who may decide; without any, everybody in the workspace who may decide approvals.",
                ["group:sales", "user:ada@example.com"],
            ),
            "quorum": {
                "title": "Quorum",
                "description": "How many different people must approve. One rejection rejects.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_ASSIGNEES,
                "default": 1,
            },
            "expires": time_field(
                "Expires", "After this time without a decision the port `expired` is taken.", "8h", "2d"
            ),
            "escalate": {
                "title": "Escalate",
                "description": "Ask more people when nobody has decided after a while.",
                "type": "object",
                "additionalProperties": False,
                "required": ["after", "to"],
                "properties": {
                    "after": time_field("After", "How long the first ones have.", "4h"),
                    "to": _assignees("To", "Who may decide then, too.", ["role:admin"]) | {"minItems": 1},
                },
                "examples": [{"after": "4h", "to": ["role:admin"]}],
            },
            "form": {
                "title": "Form",
                "description": "A JSON Schema of what the approver enters; it becomes `data` of the output.",
                "type": "object",
                "examples": [{"type": "object", "properties": {"discount": {"type": "number", "maximum": 20}}}],
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["decided_by", "comment", "data", "votes"],
        "properties": {
            "decided_by": {"title": "Whose answer decided; empty when it expired", "type": "string"},
            "comment": {"title": "Comment of that person", "type": "string"},
            "data": {"title": "What that person entered in the form"},
            "votes": {"title": "Every answer, in order", "type": "array", "items": _VOTE},
        },
    },
    examples=(
        Example(
            title="Ask the sales team, and the admins after four hours",
            config={
                "title": "Grant {{ inputs.customer }} a discount?",
                "assignees": ["group:sales"],
                "expires": "2d",
                "escalate": {"after": "4h", "to": ["role:admin"]},
                "form": {"type": "object", "properties": {"percent": {"type": "number", "maximum": 20}}},
            },
            scope={"inputs": {"customer": "Acme"}},
        ),
        Example(
            title="Two people must agree",
            config={"title": "Delete the old invoices?", "assignees": ["role:builder"], "quorum": 2},
        ),
        Example(
            title="A quorum that nobody can reach fails at once",
            config={"title": "Pay?", "assignees": ["user:ada"], "quorum": 2},
            expect=Fail(
                StepError(
                    "invalid_approval",
                    '"quorum" asks for 2 people, but only 1 are assigned. Name more, or a role or a group.',
                )
            ),
        ),
    ),
)
