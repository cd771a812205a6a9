"""What is told of the ends of runs: once, to the rules that watch the workflow, and to no other."""

import pytest
from django.db import connection

from automation.models import NoticeCause, NoticeDelivery, NoticeMute, NoticeRule, NoticeState, Workflow
from automation.services import notice_decisions, workflow_deletion
from automation.services.notice_decisions import decide_due
from automation.store.intake import CalledBy
from automation.tests.notices.rows import (
    BAD,
    ERROR,
    LATE,
    OK,
    TEST_RUN,
    begin,
    end,
    fail_many,
    make_rule,
    make_workflow,
    make_workspace,
    run_once,
    told,
)
from brainops.accounts.caller import system_caller


def test_failed_and_recovered_are_each_told_once(rule, orders):
    for status in (OK, BAD, BAD, OK, OK, LATE):
        run_once(orders, status)
        decide_due()

    assert told(rule) == ["first_failure", "recovered", "first_failure"]
    assert NoticeCause.objects.count() == 0


def test_what_happened_in_one_batch_is_told_in_its_order(rule, orders):
    for status in (BAD, OK, BAD):
        run_once(orders, status)

    assert [decide_due(), decide_due()] == [3, 0]

    assert sorted(told(rule)) == ["first_failure", "first_failure", "recovered"]
    state = NoticeState.objects.get()
    assert (state.is_failing, state.failures, state.unsaid) == (True, 1, 0)


def test_a_notice_says_which_run_of_which_workflow_failed_and_why(rule, orders, settings):
    run = run_once(orders, BAD)

    decide_due()

    delivery = NoticeDelivery.objects.get()
    place = f"{settings.BRAINOPS_PUBLIC_URL}/admin/automation"
    assert delivery.content == {
        "event": "first_failure",
        "count": 1,
        "since": run.finished_at.isoformat(),
        "workflow": {"id": str(orders.id), "name": "Orders", "url": f"{place}/workflow/{orders.id}/"},
        "run": {
            "id": str(run.uid),
            "number": run.id,
            "status": "failed",
            "version": "1.0.0",
            "started_at": run.started_at.isoformat(),
            "finished_at": run.finished_at.isoformat(),
            "seconds": 2.0,
            "error": {name: ERROR[name] for name in ("type", "step", "class", "message")},
            "url": f"{place}/run/{run.uid}/",
        },
        "rule": {"id": str(rule.id), "name": "Tell us"},
    }
    assert (delivery.address, delivery.state, delivery.attempts) == ("ops@example.com", "pending", 0)


def test_runs_of_workspaces_without_rules_leave_no_trace(orders):
    run_once(orders, BAD)
    run_once(orders, OK)

    assert NoticeCause.objects.count() == 0


def test_a_run_that_succeeds_leaves_no_trace_while_its_workflow_is_well(rule, orders):
    run_once(orders, OK)

    assert NoticeCause.objects.count() == 0


@pytest.mark.parametrize("values", [{"mode": TEST_RUN}])
def test_test_runs_are_nobodys_business(rule, orders, values):
    run_once(orders, BAD, **values)

    assert (decide_due(), told()) == (0, [])


def test_a_run_that_somebody_waits_for_is_its_callers_business(rule, orders):
    caller = begin(orders)
    run_once(orders, BAD, called_by=CalledBy(caller.id, "call", 1))

    assert (decide_due(), told()) == (0, [])


def test_a_detached_run_is_told_like_any_other(rule, orders):
    caller = begin(orders)
    run_once(orders, BAD, called_by=CalledBy(caller.id, "call", 1, is_detached=True))

    assert (decide_due(), told()) == (1, ["first_failure"])


def test_rules_watch_the_workflows_they_name(home):
    tagged, other = make_workflow(home, "Tagged", tags=["billing"]), make_workflow(home, "Other")
    by_tag = make_rule(home, scope="tag", tag="billing")
    chosen = make_rule(home, scope="workflows", workflows=[other])
    off = make_rule(home, is_active=False)
    run_once(tagged)
    run_once(other)

    decide_due()

    assert [[row.workflow_id for row in one.deliveries.all()] for one in (by_tag, chosen, off)] == [
        [tagged.id],
        [other.id],
        [],
    ]


def test_a_rule_never_hears_of_another_workspace(rule, orders):
    abroad = make_workflow(make_workspace())
    make_rule(abroad.workspace)
    run_once(abroad)

    decide_due()

    assert told(rule) == []


def test_slow_runs_are_told_and_grouped(home, orders):
    rule = make_rule(home, events=["run_slow"], slow_seconds=10)
    for seconds in (9, 11, 12):
        run_once(orders, OK, seconds=seconds)

    assert (decide_due(), told(rule)) == (2, ["run_slow"])


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_muted_is_not_told_but_remembered(home, rule, orders, is_whole):
    mute = NoticeMute.objects.create(workspace=home, rule=rule, workflow=None if is_whole else orders)
    run_once(orders)
    run_once(orders)
    decide_due()
    assert told() == []

    mute.delete()
    run_once(orders)
    decide_due()

    assert [(row.event, row.content["count"]) for row in NoticeDelivery.objects.all()] == [("still_failing", 3)]


def test_a_mute_that_is_over_or_of_another_workflow_mutes_nothing(home, rule, orders):
    other = make_workflow(home, "Other")
    NoticeMute.objects.create(workspace=home, rule=rule, until="2020-01-01T00:00:00Z")
    NoticeMute.objects.create(workspace=home, rule=rule, workflow=other)
    run_once(orders)

    decide_due()

    assert told() == ["first_failure"]


def test_a_thousand_failures_of_one_workflow_are_one_mail(rule, orders):
    fail_many(orders, 1000)

    assert (decide_due(), told()) == (1000, ["first_failure"])
    state = NoticeState.objects.get()
    assert (state.failures, state.unsaid) == (1000, 999)


def test_failures_of_many_workflows_beyond_the_hours_number_come_as_one(home):
    rule = make_rule(home, max_per_hour=3)
    for number in range(30):
        run_once(make_workflow(home, f"W{number}"))

    decide_due()

    assert sorted(told(rule)) == ["digest", "first_failure", "first_failure", "first_failure"]
    digest = NoticeDelivery.objects.get(event="digest")
    rule.refresh_from_db()
    said = digest.content
    assert (said["count"], said["events"], said["more_workflows"]) == (27, {"first_failure": 27}, True)
    assert [one["name"] for one in said["workflows"]] == [f"W{number}" for number in range(3, 23)]
    assert (digest.next_at - rule.hour_began_at).total_seconds() == 3600


def test_a_digest_grows_until_somebody_begins_to_send_it(home):
    make_rule(home, max_per_hour=0)
    for name in ("A", "B"):
        run_once(make_workflow(home, name))
        decide_due()
    NoticeDelivery.objects.update(attempts=1)
    run_once(make_workflow(home, "C"))

    decide_due()

    rows = NoticeDelivery.objects.order_by("created_at")
    assert [[one["name"] for one in row.content["workflows"]] for row in rows] == [["A", "B"], ["C"]]


def test_quiet_hours_hold_notices_back_to_their_end(home, orders):
    make_rule(home, quiet_from="00:00", quiet_until="23:59:59.999999", timezone="Asia/Kolkata")
    run_once(orders)

    decide_due()

    delivery = NoticeDelivery.objects.get()
    assert (delivery.state, delivery.next_at.isoformat()[10:]) == ("pending", "T18:29:59.999999+00:00")


def test_a_deleted_workflow_takes_its_states_along_and_is_told_of_no_more(home, rule, orders):
    run_once(orders)
    decide_due()
    run_once(orders)

    workflow_deletion.delete(system_caller(home.id, "test"), orders.id)

    assert decide_due() == 1
    assert (told(), NoticeState.objects.count(), Workflow.objects.count()) == (["first_failure"], 0, 0)


def test_a_rule_of_the_workflow_that_it_would_start_hears_nothing_of_it(home, orders):
    make_rule(home, channel="workflow", workflow=orders)
    run_once(orders)

    assert (decide_due(), told()) == (1, [])


def test_what_a_notice_started_starts_no_further_notice_workflow(home, orders):
    answer = make_workflow(home, "Answer")
    starts, mails = make_rule(home, channel="workflow", workflow=make_workflow(home, "Alarm")), make_rule(home)
    about = run_once(orders)
    decide_due()
    below = begin(answer, called_by=CalledBy(about.id, f"notice:{about.uid}", 1, is_detached=True))
    end(below)
    deeper = make_workflow(home, "Deeper")
    run_once(deeper, called_by=CalledBy(below.id, "call", 2, is_detached=True))

    decide_due()

    assert (told(starts), told(mails)) == (["first_failure"], ["first_failure"] * 3)


def test_one_thing_that_cannot_be_told_does_not_hold_up_the_others(home, rule, orders, monkeypatch):
    poison, fine = run_once(orders), run_once(make_workflow(home, "Fine"))
    real = notice_decisions.notice_content.about_run

    def breaks(said, rule, workflow, run):
        if run.id == poison.id:
            raise RuntimeError("defect")
        return real(said, rule, workflow, run)

    monkeypatch.setattr(notice_decisions.notice_content, "about_run", breaks)

    decide_due()

    assert [row.content["run"]["id"] for row in NoticeDelivery.objects.all()] == [str(fine.uid)]
    assert NoticeCause.objects.count() == 0


def test_a_rule_that_went_takes_everything_of_it_along(rule, orders):
    run_once(orders)
    decide_due()

    NoticeRule.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")

    assert (NoticeDelivery.objects.count(), NoticeState.objects.count()) == (0, 0)
