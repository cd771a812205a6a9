"""Refused settings of runs."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step


def refusals(**settings):
    return check_document(document(step("a"), settings=settings), all_kinds())


def test_all_settings_are_accepted():
    settings = {
        "timeout": "1h",
        "checkpoint": "step",
        "priority": 0,
        "queue": "interactive",
        "concurrency": {
            "limit": 1,
            "key": "{{ inputs.a }}-{{ trigger.b }}",
            "when_full": "queue",
            "queue_limit": 100_000,
        },
        "debounce": {"wait": "5s", "key": "{{ trigger.body.id }}", "max_wait": "1m"},
        "on_failure": "notify-ops",
    }

    assert refusals(**settings) == ()


@pytest.mark.parametrize(
    ("settings", "code", "pointer", "message"),
    [
        ({"priority": 10}, "invalid_value", "priority", '"settings.priority" must be at most 9, got 10.'),
        (
            {"queue": "slow"},
            "invalid_value",
            "queue",
            '"settings.queue" must be "interactive", "default" or "bulk", got "slow".',
        ),
        (
            {"concurrency": {"limit": 1, "when_full": "cancel_oldest"}},
            "invalid_value",
            "concurrency/when_full",
            '"settings.concurrency.when_full" must be "queue", "skip", "cancel_old" or "fail", got "cancel_oldest". '
            'Did you mean "cancel_old"?',
        ),
        (
            {"concurrency": {"limit": 1, "queue_limit": 0}},
            "invalid_value",
            "concurrency/queue_limit",
            '"settings.concurrency.queue_limit" must be at least 1, got 0.',
        ),
        (
            {"concurrency": {"limit": 1, "when_full": "skip", "queue_limit": 5}},
            "conflicting_fields",
            "concurrency/queue_limit",
            '"settings.concurrency.queue_limit" counts waiting runs; with "when_full" "skip" none waits. Remove it.',
        ),
        (
            {"concurrency": {"limit": 1, "key": "{{ steps.a.output }}"}},
            "unknown_reference",
            "concurrency/key",
            '"settings.concurrency.key": "steps" is not known before there is a run. Use "inputs" and "trigger".',
        ),
        (
            {"debounce": {"wait": "1s", "key": "{{ run.id }}"}},
            "unknown_reference",
            "debounce/key",
            '"settings.debounce.key": "run" is not known before there is a run. Use "inputs" and "trigger".',
        ),
        (
            {"debounce": {"wait": "1s", "key": "{{ item }}"}},
            "unknown_reference",
            "debounce/key",
            '"settings.debounce.key": "item" is not known before there is a run. Use "inputs" and "trigger".',
        ),
        (
            {"debounce": {"wait": "0s"}},
            "invalid_value",
            "debounce/wait",
            '"settings.debounce.wait" must be more than 0, got 0s.',
        ),
        (
            {"debounce": {"wait": "2d"}},
            "invalid_value",
            "debounce/wait",
            '"settings.debounce.wait" must be at most 1d, got 2d.',
        ),
        (
            {"debounce": {"wait": "1m", "max_wait": "30s"}},
            "invalid_value",
            "debounce/max_wait",
            '"settings.debounce.max_wait" must be at least "wait" (1m), got 30s.',
        ),
        (
            {"on_failure": "{{ inputs.handler }}"},
            "constant_wanted",
            "on_failure",
            '"settings.on_failure" is the id or name of a workflow, written out; got "{{ inputs.handler }}".',
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(settings, code, pointer, message):
    assert refusals(**settings) == (Problem(code, message, f"/settings/{pointer}"),)


def test_a_key_that_cannot_be_read_is_told():
    (problem,) = refusals(concurrency={"limit": 1, "key": "{{ inputs. }}"})

    assert (problem.code, problem.pointer) == ("expression", "/settings/concurrency/key")


def test_a_key_reads_declared_inputs_only():
    inputs = {"type": "object", "properties": {"order_id": {}}, "additionalProperties": False}
    settings = {"concurrency": {"limit": 1, "key": "{{ inputs.orderid }}"}}

    (problem,) = check_document(document(step("a"), inputs=inputs, settings=settings), all_kinds())

    assert problem.message == ('"settings.concurrency.key": "inputs.orderid" is not declared. Did you mean "order_id"?')
