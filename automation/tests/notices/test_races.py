"""Nothing is told twice and nothing is lost: two deciders at once, and processes that die at the worst moment."""

import threading
import time

import pytest
from django.db import connection

from automation.engine import points
from automation.models import NoticeCause, NoticeDelivery, NoticeRule, NoticeState, Run, WorkflowVersion
from automation.services import notices, workflow_deletion
from automation.services.notice_decisions import decide_due
from automation.services.notice_sending import send_next
from automation.store.intake import NewRun, insert_run
from automation.tests.notices.rows import BAD, fail_many, make_rule, make_workflow, make_workspace, run_once, told
from automation.tests.runtime.held import Crash
from automation.tests.threads import beside_each_other
from brainops.accounts.caller import system_caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dies_at(monkeypatch):
    def set_hook(name):
        def hook(point):
            if point == name:
                raise Crash(name)

        monkeypatch.setattr(points, "hook", hook)

    return set_hook


@pytest.fixture
def home(transactional_db):
    return make_workspace()


def test_two_deciders_at_once_tell_everything_once(home):
    make_rule(home, max_per_hour=1000)
    workflows = [make_workflow(home, f"W{number}") for number in range(20)]
    for workflow in workflows:
        fail_many(workflow, 20)

    def decide_until_done():
        while NoticeCause.objects.exists():
            decide_due()

    beside_each_other(*[decide_until_done] * 3)

    assert told() == ["first_failure"] * 20
    assert set(NoticeState.objects.values_list("failures", "unsaid")) == {(20, 19)}


def test_while_one_decides_another_goes_home(home, orders):
    make_rule(home)
    run_once(orders)
    seen = []

    def hook(point):
        if point == "in_notice_decision" and not seen:
            seen.append("decided")
            beside_each_other(lambda: seen.append(decide_due()))

    points.hook = hook
    try:
        assert decide_due() == 1
    finally:
        points.hook = None
    assert (seen, told()) == (["decided", 0], ["first_failure"])


def test_who_dies_while_deciding_has_decided_nothing(home, orders, dies_at, monkeypatch):
    make_rule(home)
    run_once(orders)
    dies_at("in_notice_decision")

    with pytest.raises(Crash):
        decide_due()

    assert (told(), NoticeState.objects.count(), NoticeCause.objects.count()) == ([], 0, 1)
    monkeypatch.undo()
    assert (decide_due(), decide_due(), told()) == (1, 0, ["first_failure"])


@pytest.mark.parametrize(
    ("point", "letters"),
    [
        ("before_notice", 1),
        ("after_notice", 2),  # it left, and nobody noted it: sent again under the same Message-ID
    ],
)
def test_who_dies_while_sending_leaves_the_message_to_the_next(
    home, orders, inbox, dies_at, monkeypatch, point, letters
):
    make_rule(home)
    run_once(orders)
    decide_due()
    dies_at(point)

    with pytest.raises(Crash):
        send_next()

    monkeypatch.undo()
    assert send_next() is False  # its lease still runs
    with connection.cursor() as cursor:
        cursor.execute("update automation_noticedelivery set next_at = now()")
    assert send_next() is True
    assert (NoticeDelivery.objects.get().state, len(inbox.letters)) == ("sent", letters)
    assert len({letter["Message-ID"] for letter in inbox.letters}) == 1


def test_two_postmen_never_take_the_same_message(home, inbox):
    make_rule(home, max_per_hour=1000)
    for number in range(12):
        run_once(make_workflow(home, f"W{number}"))
    decide_due()

    def send_all():
        while send_next():
            pass

    beside_each_other(*[send_all] * 4)

    assert len(inbox.letters) == 12
    assert set(NoticeDelivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_rule_and_its_workflow_may_go_while_something_is_decided_about_them(home, orders):
    rule = make_rule(home)
    run_once(orders)

    def hook(point):
        if point == "in_notice_decision":
            points.hook = None
            gone.start()
            time.sleep(0.2)  # it waits for the decision

    by = system_caller(home.id, "test")

    def delete():
        notices.delete(by, rule.id)
        workflow_deletion.delete(by, orders.id)
        connection.close()

    gone = threading.Thread(target=delete)
    points.hook = hook
    try:
        decide_due()
    finally:
        points.hook = None
    gone.join(10)

    assert (NoticeRule.objects.count(), NoticeDelivery.objects.count(), NoticeState.objects.count()) == (0, 0, 0)


def test_a_worker_tells_of_a_failed_run_by_itself(home, inbox, runtime):
    definition = {"schema": 1, "steps": [{"id": "no", "uses": "fail", "with": {"message": "No."}}]}
    workflow = make_workflow(home)
    WorkflowVersion.objects.filter(workflow=workflow).update(definition=definition)
    make_rule(home)
    with connection.cursor() as cursor:
        run_id = insert_run(cursor, NewRun(home.id, workflow.id, workflow.current_version_id, inputs={})).id
    runtime.wake()

    deadline = time.monotonic() + 30
    while not inbox.letters and time.monotonic() < deadline:
        time.sleep(0.02)

    (letter,) = inbox.letters
    assert Run.objects.get(id=run_id).status == BAD
    assert letter["Subject"].strip() == f"[{home.name}] “Orders” failed"
