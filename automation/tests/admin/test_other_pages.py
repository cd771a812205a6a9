"""Overview, triggers, firing ledger, workers and beat."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from automation.engine.status import RunStatus
from automation.models import Firing, Run, Trigger, Worker, WorkerState
from automation.services.schedules import fire_due
from automation.tests.admin.conftest import make_run, make_staff, set_data
from automation.tests.triggers.rows import make_schedule, make_workflow

pytestmark = pytest.mark.django_db


def text(client, place, **query):
    answer = client.get(place, query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def make_worker(name="host/0", **values):
    return Worker.objects.create(name=name, host="host", pid=7, slots=32, **values)


def test_the_overview_counts_runs_failures_and_workers(admin_of_all):
    failing = make_workflow(name="Failing one")
    for status in (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED, RunStatus.SUCCEEDED, RunStatus.QUEUED):
        make_run(make_workflow(), status=status)
    set_data(make_run(failing, status=RunStatus.FAILED), error={"message": "The other side is away."})
    make_worker()
    make_worker("host/1", state=WorkerState.DEAD)

    overview = admin_of_all.get("/admin/").context["overview"]

    assert (overview["total"], overview["failed"], overview["rate"]) == (5, 1, 0.75)
    assert (overview["backlog"].queued, overview["backlog"].running) == (1, 0)
    assert [(row.name, row.failed, row.message) for row in overview["failing"]] == [
        ("Failing one", 1, "The other side is away.")
    ]
    assert [worker.name for worker in overview["workers"]] == ["host/0"]
    assert overview["chart"].columns[-1].words == "3 succeeded, 1 failed, 1 queued"
    assert [column.words for column in overview["chart"].columns[:-1]] == ["no runs"] * 23


def test_the_overview_costs_the_same_queries_however_much_there_is(admin_of_all, django_assert_num_queries):
    for number in range(5):
        workflow = make_workflow(name=f"W{number}")
        make_schedule(workflow, due=timedelta(hours=1))
        make_run(workflow, status=RunStatus.FAILED)
        make_worker(f"host/{number}")

    # session, user; by hour, backlog, failing, workers, latest runs, next schedules, is there a workflow
    with django_assert_num_queries(9):
        admin_of_all.get("/admin/")


def test_the_figures_tell_of_weeks_and_of_the_time_before(admin_of_all):
    run = make_run(make_workflow(name="Slow <b>one</b>"), status=RunStatus.SUCCEEDED)
    Run.objects.filter(id=run.id).update(started_at=run.finished_at - timedelta(seconds=90))
    set_data(make_run(run.workflow, status=RunStatus.FAILED), error={"type": "http_status", "class": "transient"})

    answer = admin_of_all.get("/admin/automation/run/figures/", {"period": "30d"})

    page = answer.context["page"]
    assert (page.now.total, page.now.success_rate, page.before.total, page.unhappy) == (2, 0.5, 0, 1)
    assert page.ever == {"Succeeded": 1, "Failed": 1, "Cancelled": 0, "Timed out": 0}
    assert (len(page.chart.columns), page.chart.columns[-1].words) == (30, "1 succeeded, 1 failed")
    assert [(row.name, row.runs, row.longest_seconds) for row in page.slowest] == [("Slow <b>one</b>", 2, 90)]
    assert [(row.type, row.runs) for row in page.failures] == [("http_status", 1)]
    assert "Slow &lt;b&gt;one&lt;/b&gt;" in answer.content.decode()


def test_the_figures_of_nothing_are_dashes_and_a_strange_period_is_a_week(admin_of_all):
    answer = admin_of_all.get("/admin/automation/run/figures/", {"period": "<script>"})

    assert (answer.context["page"].period, len(answer.context["page"].chart.columns)) == ("7d", 7)
    assert "Nothing ended in this time." in answer.content.decode()


def test_the_figures_are_for_staff_who_may_see_runs(db):
    assert make_staff().get("/admin/automation/run/figures/").status_code == 403
    assert make_staff("view_run").get("/admin/automation/run/figures/").status_code == 200


def test_an_empty_installation_says_what_to_do(admin_of_all):
    html = text(admin_of_all, "/admin/")

    assert "There is no workflow yet." in html
    assert "No worker is there" in html
    assert "Nothing failed in the last 24 hours." in html


def test_staff_without_rights_see_no_numbers(db):
    html = text(make_staff(), "/admin/")

    assert "Choose a page from the menu." in html
    assert "/admin/automation/run/" not in html


def test_the_menu_shows_what_a_person_may_see(looker):
    html = text(looker, "/admin/")

    assert "/admin/automation/workflow/" in html
    assert "/admin/audit/" not in html
    assert "/admin/accounts/user/" not in html


def test_triggers_are_listed_in_words(admin_of_all):
    make_schedule(cron="0 9 * * 1-5", timezone="Europe/Berlin", due=timedelta(hours=1), name="Morning")

    html = text(admin_of_all, "/admin/automation/trigger/")

    assert "At 09:00 on Monday through Friday" in html
    assert "Europe/Berlin" in html
    assert "in 59 min" in html


def test_a_schedule_that_cannot_go_on_is_shown_as_stopped(admin_of_all):
    trigger = make_schedule(timezone="Atlantis/Capital", due=timedelta(seconds=-5))
    fire_due()

    assert "Stopped" in text(admin_of_all, "/admin/automation/trigger/")
    html = text(admin_of_all, reverse("admin:automation_trigger_page", args=[trigger.id]))

    assert "No time zone found with key Atlantis/Capital" in html


def test_the_list_of_triggers_costs_the_same_queries_for_one_and_for_thirty(admin_of_all, django_assert_num_queries):
    workflow = make_workflow()
    for _ in range(30):
        make_schedule(workflow)
    text(admin_of_all, "/admin/automation/trigger/")

    # session, user, choices of three filters, two counts, rows
    with django_assert_num_queries(8):
        text(admin_of_all, "/admin/automation/trigger/")


def test_the_page_of_a_schedule_shows_the_next_ten_times_and_what_became_of_slots(admin_of_all):
    trigger = make_schedule(due=timezone.now().replace(second=0, microsecond=0))
    fire_due()
    run_uid = Firing.objects.get().run_uid

    answer = admin_of_all.get(reverse("admin:automation_trigger_page", args=[trigger.id]))

    assert len(answer.context["trigger"].details["next_fire_times"]) == 10
    assert [row.look.word for row in answer.context["firings"]] == ["Ran"]
    assert str(run_uid) in answer.content.decode()


def test_a_trigger_is_paused_and_activated(admin_of_all, looker):
    trigger = make_schedule(due=timedelta(hours=1))
    place = reverse("admin:automation_trigger_switch", args=[trigger.id])

    assert looker.post(place, {"to": "paused"}).status_code == 403
    admin_of_all.post(place, {"to": "paused"})
    off = Trigger.objects.get()
    admin_of_all.post(place, {"to": "active"})

    assert (off.is_active, off.next_fire_at) == (False, None)
    assert Trigger.objects.get().next_fire_at is not None


def test_the_ledger_is_shown_newest_first_filtered_and_in_pages(admin_of_all):
    trigger, start = make_schedule(), timezone.now().replace(microsecond=0)
    Firing.objects.bulk_create(
        Firing(trigger=trigger, slot=start - timedelta(minutes=number), decision=1 + number % 2) for number in range(60)
    )
    ledger = "/admin/automation/trigger/ledger/"

    first = admin_of_all.get(ledger).context
    second = admin_of_all.get(ledger, {"before": first["before"].isoformat()}).context
    missed = admin_of_all.get(ledger, {"decision": "missed"}).context

    assert [row.slot for row in first["firings"]][:2] == [start, start - timedelta(minutes=1)]
    assert (len(first["firings"]), len(second["firings"]), second["before"]) == (50, 10, None)
    assert {row.look.word for row in missed["firings"]} == {"Missed"}
    assert admin_of_all.get(ledger, {"before": "2026-99-99T00:00:00Z", "decision": "x"}).status_code == 200
    assert admin_of_all.get(ledger, {"before": "0001-01-01T00:00:00+23:59"}).status_code == 200


def test_workers_show_the_age_of_their_heartbeat_on_the_databases_clock(admin_of_all):
    make_worker(busy=[{"run": "x", "path": "y", "attempt": 1, "started_at": 0}])
    Worker.objects.update(heartbeat_at=Now() - timedelta(seconds=90))

    html = text(admin_of_all, "/admin/automation/worker/")

    assert "1 m 30 s ago" in html
    assert "1 of 32" in html


@pytest.mark.parametrize(
    "model", ["periodictask", "intervalschedule", "crontabschedule", "solarschedule", "clockedschedule"]
)
def test_the_tables_of_beat_are_there_to_look_at_only(admin_of_all, model):
    place = f"/admin/django_celery_beat/{model}/"

    assert admin_of_all.get(place).status_code == 200
    assert admin_of_all.get(f"{place}add/").status_code == 403


@pytest.mark.parametrize("model", ["workflow", "run", "trigger", "worker"])
def test_nobody_adds_rows_by_hand(admin_of_all, model):
    assert admin_of_all.get(f"/admin/automation/{model}/add/").status_code == 403
