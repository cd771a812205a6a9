"""approval, wait_signal, signal_url: polls of what the store answers. The store here is a table of answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from automation.engine.commands import AskApproval, MakeCallback, TakeSignal
from automation.engine.kinds import Call, Done, Fail, Wait
from automation.engine.simulate import START
from automation.steps import approval, signal_url, wait_signal

ANSWER = {
    "id": "a1",
    "state": "pending",
    "decided_by": "",
    "comment": "",
    "data": None,
    "votes": [],
    "expires_at": None,
}


def call(config: dict[str, Any], answer: Any, asked: list[Any] | None = None) -> Call:
    def perform(command: Any) -> Any:
        (asked if asked is not None else []).append(command)
        return answer

    return Call(
        config=config,
        path="a",
        attempt=1,
        idempotency_key="bo_key",
        now=START,
        render=lambda value, _extra: value,
        remaining_seconds=lambda: 30.0,
        is_cancelled=lambda: False,
        perform=perform,
    )


def test_an_approval_is_asked_with_everything_it_says():
    asked: list[Any] = []
    form = {"type": "object"}
    config = {
        "title": "Pay?",
        "message": "7 EUR",
        "assignees": ["user:Ada", "user:ada", "group:Sales"],
        "quorum": 2,
        "expires": "2d",
        "escalate": {"after": "4h", "to": ["role:admin"]},
        "form": form,
    }
    until = "2026-01-03T00:00:00+00:00"

    outcome = approval.run(call(config, {**ANSWER, "expires_at": until, "is_new": True}, asked))

    assignees = ("user:ada", "group:Sales")
    question = AskApproval("Pay?", "7 EUR", "approval", assignees, 2, form, 172_800, 14_400, ("role:admin",))
    details = {"approval": "a1", "title": "Pay?", "assignees": list(assignees), "quorum": 2, "approvals": 0}
    assert asked == [question]
    assert outcome == Wait("approval", datetime(2026, 1, 3, tzinfo=UTC), details, outcome.logs)
    assert [line.message for line in outcome.logs] == ["Asked for approval: Pay?"]


def test_an_approval_that_still_waits_says_so_quietly():
    vote = {"voter": "ada", "verdict": "approved", "comment": "", "at": "2026-01-01T00:00:00+00:00"}

    outcome = approval.run(call({"title": "Pay?", "quorum": 2}, {**ANSWER, "votes": [vote]}))

    assert (outcome.until, outcome.details["approvals"], outcome.logs) == (None, 1, ())


@pytest.mark.parametrize(
    ("state", "who", "said"),
    [
        ("approved", "ada", "Approved by ada."),
        ("rejected", "bob", "Rejected by bob."),
        ("expired", "", "The approval expired: nobody decided in time."),
    ],
)
def test_a_decision_takes_its_port(state, who, said):
    answer = {**ANSWER, "state": state, "decided_by": who, "comment": "c", "data": {"percent": 5}}

    outcome = approval.run(call({"title": "Pay?", "expires": "1h"}, answer))

    assert (outcome.port, outcome.output) == (
        state,
        {"decided_by": who, "comment": "c", "data": {"percent": 5}, "votes": []},
    )
    assert outcome.reason == {"type": "approval", "approval": "a1", "state": state}
    assert [line.message for line in outcome.logs] == [said]


def test_only_an_approval_that_can_expire_has_that_port():
    assert tuple(approval.KIND.ports({"title": "x"})) == ("approved", "rejected")
    assert tuple(approval.KIND.ports({"title": "x", "expires": "1h"})) == ("approved", "rejected", "expired")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"expires": "400d"}, '"expires" must be more than 0 and at most 366 days, got 34560000 seconds.'),
        ({"expires": "0s"}, '"expires" must be more than 0 and at most 366 days, got 0 seconds.'),
        ({"escalate": {"after": "0s", "to": []}}, '"escalate.after" must be more than 0 and at most 366 days'),
        ({"form": {"type": "nonsense"}}, '"form" is no JSON Schema for an object: '),
        ({"form": {"$ref": "https://example.com/x"}}, '"form" is no JSON Schema for an object: '),
        ({"assignees": ["user:a", "user:A"], "quorum": 2}, '"quorum" asks for 2 people, but only 1 are assigned.'),
    ],
)
def test_a_question_nobody_could_answer_fails_and_is_not_asked(config, said):
    asked: list[Any] = []

    outcome = approval.run(call({"title": "Pay?", **config}, ANSWER, asked))

    assert isinstance(outcome, Fail)
    assert said in outcome.error.message
    assert asked == []


def test_a_wait_for_a_signal_is_taken_up_and_ends():
    asked: list[Any] = []
    config = {"name": "paid", "timeout": "1h", "url": True}
    until = "2026-01-01T01:00:00+00:00"

    waits = wait_signal.run(call(config, {"state": "waiting", "until": until, "url": "https://x/1"}, asked))
    received = wait_signal.run(call(config, {"state": "received", "payload": 7, "key": "k", "url": "https://x/1"}))
    late = wait_signal.run(call(config, {"state": "timed_out", "url": None}))

    assert asked == [TakeSignal("paid", with_url=True, timeout_seconds=3600)]
    assert waits == Wait("signal", datetime(2026, 1, 1, 1, tzinfo=UTC), {"name": "paid", "url": "https://x/1"})
    assert (received.port, received.output) == (
        "received",
        {"received": True, "payload": 7, "key": "k", "url": "https://x/1"},
    )
    assert (late.port, late.output) == ("timed_out", {"received": False, "payload": None, "key": None, "url": None})


def test_a_signal_without_a_time_limit_waits_for_ever_and_cannot_time_out():
    assert wait_signal.run(call({"name": "paid"}, {"state": "waiting", "until": None, "url": None})) == Wait(
        "signal", None, {"name": "paid"}
    )
    assert tuple(wait_signal.KIND.ports({"name": "paid"})) == ("received",)
    assert tuple(wait_signal.KIND.ports({"name": "paid", "timeout": 5})) == ("received", "timed_out")


def test_a_url_is_made_by_the_store():
    asked: list[Any] = []
    made = {"url": "https://x/1", "expires_at": None}

    outcome = signal_url.run(call({"name": "paid", "expires": "1m"}, made, asked))

    assert (outcome, asked) == (Done(made), [MakeCallback("paid", expires_seconds=60)])


@pytest.mark.parametrize(
    ("module", "config", "port"),
    [
        (approval, {"title": "Pay?"}, "approved"),
        (wait_signal, {"name": "paid"}, "received"),
        (signal_url, {"name": "paid"}, None),
    ],
)
def test_a_dry_run_asks_nobody(module, config, port):
    asked: list[Any] = []

    outcome = module.simulate(call(config, None, asked))

    assert (outcome.port, asked, len(outcome.logs)) == (port, [], 1)
