"""Conditions of triggers: what may be asked, what a schedule does with them, and that exports carry them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, Trigger, Variable
from automation.services import backfills, conditions, runnable
from automation.services.conditions import Judged, condition_problems, judge
from automation.services.schedules import fire_due
from automation.tests.triggers.rows import make_schedule
from brainops.accounts.caller import system_caller

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("trigger.item.total > 1", "constant_condition", "must be one expression such as"),
        ("yes {{ inputs.a }}", "constant_condition", "must be one expression such as"),
        ("{{ inputs.a > }}", "expression", 'Expression "'),
        ("{{ steps.a.output }}", "unknown_reference", '"steps" is not known before there is a run'),
        ("{{ secrets.a }}", "unknown_reference", '"secrets" is not known before there is a run'),
        ("{{ vars[inputs.a] }}", "unknown_reference", '"vars" alone is not a value'),
        ("{{ '" + "x" * 2_000 + "' }}", "too_long", "at most 2000 characters"),
    ],
    ids=["no braces", "text around", "syntax", "steps", "secrets", "all variables", "long"],
)
def test_a_condition_that_cannot_decide_is_refused(text, code, said):
    (problem,) = condition_problems(text)

    assert (problem.code, problem.pointer) == (code, "/condition")
    assert said in problem.message


def test_no_condition_is_no_problem_and_always_holds():
    assert list(condition_problems("")) == []
    assert judge("", inputs={}, trigger={}) == conditions.ALWAYS


def test_a_condition_says_with_which_values_it_decided():
    judged = judge("{{ inputs.total > 10 and trigger.item.kind == 'order' }}", inputs={"total": 7}, trigger={})

    assert judged == Judged(
        "condition_false",
        "The condition does not hold: {{ inputs.total > 10 and trigger.item.kind == 'order' }} "
        "with inputs.total is 7, trigger.item.kind is missing.",
        [{"expression": "inputs.total", "value": 7}, {"expression": "trigger.item.kind", "missing": True}],
    )


def slots():
    return [(row.get_decision_display(), row.reason) for row in Firing.objects.order_by("slot")]


@pytest.mark.django_db
def test_a_schedule_runs_only_if_its_condition_holds_and_the_ledger_says_why_not():
    due = timezone.now().replace(second=0, microsecond=0)
    trigger = make_schedule(due=due, condition="{{ inputs.total > vars.least }}", inputs={"total": 3})
    Variable.objects.create(workspace=trigger.workspace, name="least", value=5)

    assert fire_due() == 0
    Variable.objects.update(value=2)
    Trigger.objects.update(next_fire_at=due + timedelta(microseconds=1))
    fire_due()

    assert slots()[0] == (
        "condition false",
        "The condition does not hold: {{ inputs.total > vars.least }} with inputs.total is 3, vars.least is 5.",
    )
    assert [one for one, _ in slots()] == ["condition false", "ran"]
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_a_condition_that_cannot_be_evaluated_refuses_the_slot_and_the_schedule_goes_on():
    trigger = make_schedule(due=-timedelta(seconds=1), condition="{{ inputs.total > vars.gone }}", inputs={"total": 3})

    fire_due()

    (slot,) = slots()
    trigger.refresh_from_db()
    assert slot[0] == "refused"
    assert slot[1].startswith("The condition cannot be evaluated. ")
    assert trigger.next_fire_at > timezone.now()


@pytest.mark.django_db
def test_a_backfill_asks_the_condition_for_each_slot():
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    last = (hour - HOUR).isoformat().replace("+00:00", "Z")
    trigger = make_schedule(cron="0 * * * *", condition=f"{{{{ trigger.slot == '{last}' }}}}")
    caller = system_caller(trigger.workspace_id, "test")

    done = backfills.backfill(caller, trigger.id, since=hour - 2 * HOUR, until=hour, dry_run=False)

    assert [Firing(decision=row.decision).get_decision_display() for row in done.slots] == ["condition false", "ran"]
    assert Run.objects.count() == 1
