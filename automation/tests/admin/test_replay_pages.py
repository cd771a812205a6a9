"""Replays in the admin: ordered from the list of runs, watched, stopped."""

import pytest
from django.urls import reverse

from automation.engine.status import RunStatus
from automation.models import Replay, ReplayItem, Run
from automation.services.replays_due import replays_due
from automation.tests.admin.conftest import EVIL, add_step, make_run, make_staff
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.models import Workspace

pytestmark = pytest.mark.django_db

RUNS = "/admin/automation/run/"
NEW = "/admin/automation/replay/new/"


@pytest.fixture
def failed():
    """Two failed runs of one workflow; the first did something outside."""
    workflow = make_workflow(name=EVIL)
    runs = [make_run(workflow, status=RunStatus.FAILED) for _ in range(2)]
    add_step(runs[0], "say", kind="http.request", effect="send")
    return runs


def joined(runs):
    return ",".join(str(run.uid) for run in runs)


def order(client, runs, **form):
    return client.post(NEW, {"runs": joined(runs), "confirmed": "yes", **form})


def test_chosen_runs_lead_to_a_dialog_that_shows_what_follows(admin_of_all, failed):
    chosen = {"action": "repeat", "_selected_action": [run.pk for run in failed]}

    kept = admin_of_all.post(RUNS, chosen).content.decode()
    again = admin_of_all.post(NEW, {"runs": joined(failed), "from": "start"}).content.decode()

    assert "Repeat 2 runs" in kept
    assert "No effect that happened would happen again." in kept
    assert "1 × send" in again
    assert Replay.objects.count() == 0


def test_a_replay_is_ordered_and_watched(admin_of_all, failed):
    answer = order(admin_of_all, failed, **{"from": "start", "per_minute": "60"})

    replay = Replay.objects.get()
    assert answer["Location"] == reverse("admin:automation_replay_page", args=[replay.id])
    assert (replay.per_minute, replay.total, replay.options["from"]) == (60, 2, "start")
    assert replays_due() == 1
    html = admin_of_all.get(answer["Location"]).content.decode()
    new = Run.objects.get(parent_run__in=failed)
    assert (str(new.uid)[:8] in html, "Start no more" in html) == (True, True)
    assert str(replay.id)[:8] in admin_of_all.get("/admin/automation/replay/").content.decode()


def test_a_replay_is_stopped(admin_of_all, failed):
    order(admin_of_all, failed)
    replay = Replay.objects.get()

    answer = admin_of_all.post(reverse("admin:automation_replay_cancel", args=[replay.id]), follow=True)

    assert "Cancelled. Runs that were started go on." in answer.content.decode()
    assert Replay.objects.get().state == "cancelled"
    assert replays_due() == 0


def test_refusals_are_shown_beside_their_runs(admin_of_all, failed):
    order(admin_of_all, failed)
    ReplayItem.objects.update(is_done=True, error={"code": "x", "message": EVIL})

    html = admin_of_all.get(reverse("admin:automation_replay_page", args=[Replay.objects.get().id])).content.decode()

    assert ("Refused" in html, EVIL in html, "&lt;script&gt;" in html) == (True, False, True)


def test_runs_of_two_workspaces_are_not_mixed(admin_of_all, failed):
    other = Workspace.objects.create(name="Other", slug="other")
    Run.objects.filter(id=failed[1].id).update(workspace=other)

    answer = admin_of_all.post(NEW, {"runs": joined(failed)}, follow=True)

    assert "Choose runs of one workspace." in answer.content.decode()
    assert "Choose the runs" in admin_of_all.post(NEW, {"runs": "x,,"}, follow=True).content.decode()


def test_who_may_not_retry_has_no_action_and_cannot_order(looker, failed):
    assert "_selected_action" not in looker.get(RUNS).content.decode()
    assert order(looker, failed).status_code == 403
    assert make_staff("view_run").get("/admin/automation/replay/").status_code == 403
    assert Replay.objects.count() == 0


def test_a_replay_by_staff_who_lost_the_right_starts_nothing(admin_of_all, failed):
    order(admin_of_all, failed)
    type(admin_of_all.user).objects.update(is_superuser=False)

    replays_due()

    assert ReplayItem.objects.order_by("id").first().error["code"] == "permission_denied"


def test_the_list_and_the_page_cost_the_same_queries_for_many(admin_of_all, failed, django_assert_num_queries):
    order(admin_of_all, failed)
    address = reverse("admin:automation_replay_page", args=[Replay.objects.get().id])
    admin_of_all.get(address)

    # session, user, the replay, the service's own look at it, the items with their runs
    with django_assert_num_queries(5):
        admin_of_all.get(address)


def test_nothing_is_ordered_by_looking(admin_of_all, failed):
    assert admin_of_all.get(NEW).status_code == 405
    assert Replay.objects.count() == 0
