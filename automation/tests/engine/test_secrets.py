"""Secrets stay sealed in all that is kept, open for one call, and are masked in what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from automation.engine.attempt import Surroundings, attempt
from automation.engine.commands import Command, CommandRefused, UseSecrets
from automation.engine.document import check_document
from automation.engine.kinds import Call, Done, Effect, Fail, LogLine, Outcome, Sleep, StepError, Wait
from automation.engine.plan import Plan
from automation.engine.prepare import Prepared, prepare
from automation.engine.scope import new_scope
from automation.engine.secrets import Opened
from automation.steps import all_kinds
from automation.tests.engine.samples import document, kind, plan, step

TOKEN = "tok-canary-1"
SENDER = {
    "type": "object",
    "properties": {"headers": {"type": "object", "x-secrets": True, "maxProperties": 2}, "mode": {"type": "string"}},
}


class Service:
    """A kind that keeps what it was called with and answers what it is told to."""

    def __init__(self, answer: Outcome) -> None:
        self.calls: list[Call] = []
        self._answer = answer

    def run(self, call: Call) -> Outcome:
        self.calls.append(call)
        return self._answer

    @property
    def kind(self) -> Any:
        return kind("send", self.run, config_schema=SENDER, effect=Effect.SEND)


def planned(service: Service, *steps: dict[str, Any]) -> Plan:
    return plan(*steps, kinds=(service.kind,))


def run(made: Plan, name: str = "a", *, secrets: dict[str, str] | None = None, inputs: Any = None) -> Outcome:
    """Prepare and attempt one step with these secrets in the workspace."""
    known = {"token": TOKEN} if secrets is None else secrets
    scope = new_scope(made, inputs=inputs or {}, trigger=None, run={})
    prepared = prepare(made.by_id[name], scope)
    assert isinstance(prepared, Prepared)

    def perform(command: Command) -> Opened:
        assert isinstance(command, UseSecrets)
        if lost := [one for one in command.names if one not in known]:
            raise CommandRefused("unknown_secret", f"No secret {lost[0]}.")
        values = {one: known[one] for one in command.names}
        return Opened(values, lambda value: mask(value, known), (frozenset({"api.example"}),))

    around = Surroundings(scope, "key", datetime(2026, 1, 1, tzinfo=UTC), lambda: 9.0, lambda: False, perform=perform)
    return attempt(made.by_id[name], prepared, 1, around)


def mask(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        for secret in known.values():
            value = value.replace(secret, "***")
    return {key: mask(inner, known) for key, inner in value.items()} if isinstance(value, dict) else value


def sending(name: str = "a", *needs: str, **headers: str) -> dict[str, Any]:
    return step(name, *needs, uses="send", **{"with": {"headers": headers}})


def test_the_kind_alone_gets_the_value_with_the_filters_applied():
    service = Service(Done())

    run(
        planned(service, sending(auth="Basic {{ ('me:' ~ secrets.token)|b64encode }}", plain="{{ inputs.x }}")),
        inputs={"x": 1},
    )

    assert [(call.config, call.hosts) for call in service.calls] == [
        ({"headers": {"auth": "Basic bWU6dG9rLWNhbmFyeS0x", "plain": 1}}, (frozenset({"api.example"}),))
    ]


def test_what_is_kept_of_a_with_holds_the_template_in_the_place_of_the_secret():
    made = planned(Service(Done()), sending(auth="Bearer {{ secrets.token }}", plain="{{ inputs.x }}"))

    prepared = prepare(made.by_id["a"], new_scope(made, inputs={"x": "{{ secrets.token }}"}, trigger=None, run={}))

    said = {"auth": "Bearer {{ secrets.token }}", "plain": "{{ secrets.token }}"}
    assert prepared == Prepared({"headers": said})


def test_an_input_that_looks_like_a_template_stays_a_text():
    service = Service(Done())

    run(planned(service, sending(auth="{{ secrets.token }}", x="{{ inputs.x }}")), inputs={"x": "{{ secrets.token }}"})

    assert service.calls[0].config["headers"] == {"auth": TOKEN, "x": "{{ secrets.token }}"}


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (
            Done({"echo": TOKEN, TOKEN: 1}, logs=(LogLine("info", TOKEN, {"a": TOKEN}),), response={"body": TOKEN}),
            Done({"echo": "***", TOKEN: 1}, logs=(LogLine("info", "***", {"a": "***"}),), response={"body": "***"}),
        ),
        (
            Fail(StepError("x", f"no {TOKEN}", details={"b": TOKEN})),
            Fail(StepError("x", "no ***", details={"b": "***"})),
        ),
        (Sleep(3, TOKEN), Sleep(3, "***")),
        (Wait("signal", details={"url": TOKEN}), Wait("signal", details={"url": "***"})),
    ],
)
def test_whatever_comes_of_the_call_is_masked(answer, kept):
    assert run(planned(Service(answer), sending(auth="{{ secrets.token }}"))) == kept


def test_a_step_that_sends_no_secret_is_masked_too_when_another_one_does():
    service = Service(Done({"you sent before": TOKEN}))
    made = planned(service, sending("a", auth="{{ secrets.token }}"), sending("b", "a", plain="x"))

    assert run(made, "b") == Done({"you sent before": "***"})
    assert service.calls[0].config == {"headers": {"plain": "x"}}


def test_a_secret_that_only_another_step_needs_may_be_missing():
    made = planned(Service(Done(1)), sending("a", auth="{{ secrets.token }}"), sending("b", plain="x"))

    assert run(made, "b", secrets={}) == Done(1)


def test_a_workflow_without_secrets_asks_for_none():
    made = planned(Service(Done(1)), sending(plain="x"))

    assert (made.by_id["a"].sealed, made.by_id["a"].masks) == (None, ())


def test_a_missing_secret_fails_the_step_before_anything_is_sent():
    service = Service(Done())

    outcome = run(planned(service, sending(auth="{{ secrets.token }}")), secrets={})

    assert outcome == Fail(StepError("unknown_secret", "No secret token."))
    assert service.calls == []


def test_an_expression_that_breaks_over_a_secret_shows_no_value():
    outcome = run(planned(Service(Done()), sending(auth="{{ secrets.token|int }}")))

    assert isinstance(outcome, Fail)
    assert outcome.error.type == "expression"
    assert TOKEN not in repr(outcome)


def test_a_with_that_does_not_fit_once_it_is_open_shows_no_value():
    made = planned(Service(Done()), step("a", uses="send", **{"with": {"headers": "{{ secrets.token }}"}}))

    outcome = run(made)

    assert isinstance(outcome, Fail)
    assert outcome.error.message == (
        'With its secrets filled in, "/headers" is not what the step takes. Look at the secrets it reads.'
    )
    assert TOKEN not in repr(outcome)


def test_a_kind_that_breaks_says_nothing_of_what_it_held():
    def run_badly(call: Call) -> Outcome:
        raise ValueError(call.config["headers"]["auth"])

    broken = kind("send", run_badly, config_schema=SENDER)

    outcome = run(plan(sending(auth="{{ secrets.token }}"), kinds=(broken,)))

    assert isinstance(outcome, Fail)
    assert (outcome.error.type, TOKEN in repr(outcome)) == ("kind_error", False)


@pytest.mark.parametrize(
    ("path", "written", "said"),
    [
        (
            "method",
            "{{ secrets.m }}",
            'Of "http.request" only "body", "form", "headers", "json", "params" and "url" take them.',
        ),
        ("url", "{{ secrets }}", '"secrets" alone is not a value; name one secret as in secrets.token.'),
        ("url", "{{ secrets[inputs.x] }}", '"secrets" alone is not a value; name one secret as in secrets.token.'),
        ("url", "{{ secrets.a.b }}", '"secrets.a" is a text and has no parts.'),
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_with_the_way_out(path, written, said):
    value = {"id": "a", "uses": "http.request", "with": {"url": "https://a.example", path: written}}

    (problem,) = [
        one for one in check_document(document(value), all_kinds()) if "ecret" in one.code or "ref" in one.code
    ]

    assert (problem.pointer, problem.message.endswith(said)) == (f"/steps/0/with/{path}", True)


@pytest.mark.parametrize(
    "value",
    [
        {"id": "a", "uses": "log", "with": {"message": "{{ secrets.t }}"}},
        {"id": "a", "uses": "transform", "with": {"set": {}}, "if": "{{ secrets.t == 'x' }}"},
        {"id": "a", "for_each": {"items": "{{ secrets.t }}"}, "steps": [step("b")]},
        {"id": "a", "call": {"workflow": "B", "inputs": {"t": "{{ secrets.t }}"}}},
    ],
)
def test_secrets_are_refused_wherever_a_value_would_be_kept(value):
    assert [one.code for one in check_document(document(value), all_kinds())] == ["secret_not_allowed"]


def test_a_stored_document_that_reads_a_secret_in_the_wrong_place_fails_without_it():
    made = plan(step("a", uses="transform", **{"with": {"set": {"x": "{{ secrets.token }}"}}}))

    outcome = prepare(made.by_id["a"], new_scope(made, inputs={}, trigger=None, run={}))

    assert isinstance(outcome, Fail)
    assert "secrets cannot be read here. Secrets go only into the inputs of connector steps" in outcome.error.message
