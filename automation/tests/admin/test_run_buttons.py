"""Cancel and retry from the admin: asked first, posted, and only by those who may."""

import pytest
from django.test import Client
from django.urls import reverse

from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, StepRun
from automation.tests.admin.conftest import EVIL, add_step, make_run, make_staff
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def cancel_address(run):
    return reverse("admin:automation_run_cancel", args=[run.uid])


def retry_address(run, origin="failed"):
    return reverse("admin:automation_run_retry", args=[run.uid, origin])


def buttons(client, run):
    return {name for name, shown in page_context(client, run)["buttons"].items() if shown}


def page_context(client, run):
    return client.get(reverse("admin:automation_run_page", args=[run.uid])).context


def test_cancel_asks_first_and_does_nothing_by_looking(admin_of_all):
    run = make_run(status=RunStatus.QUEUED)

    answer = admin_of_all.get(cancel_address(run))

    assert answer.status_code == 200
    assert "Cancel this run?" in answer.content.decode()
    assert Run.objects.get().status == RunStatus.QUEUED


def test_cancel_ends_a_queued_run_at_once_and_is_audited(admin_of_all):
    run = make_run(status=RunStatus.QUEUED)

    answer = admin_of_all.post(cancel_address(run), {"confirmed": "yes"}, follow=True)

    assert "Cancelled." in answer.content.decode()
    assert Run.objects.get().status == RunStatus.CANCELLED
    entry = AuditEntry.objects.get(action="run.cancel")
    assert (entry.actor_kind, entry.actor_label) == ("user", admin_of_all.user.email)


def test_cancelling_an_ended_run_says_why_not(admin_of_all):
    run = make_run(status=RunStatus.SUCCEEDED)

    answer = admin_of_all.post(cancel_address(run), {"confirmed": "yes"}, follow=True)

    assert "The run has ended already: it is succeeded." in answer.content.decode()


def test_retry_from_the_failed_step_starts_a_new_run_that_keeps_what_succeeded(admin_of_all):
    run = make_run(status=RunStatus.FAILED, inputs={"a": 1})
    definition = run.version.definition
    definition["steps"].append({"id": "again", "uses": "log", "needs": ["say"], "with": {"message": "x"}})
    type(run.version).objects.filter(id=run.version_id).update(definition=definition)
    add_step(run, "say")
    add_step(run, "again", StepStatus.FAILED, error={"message": "no"})

    answer = admin_of_all.post(retry_address(run), {"confirmed": "yes"})

    new = Run.objects.exclude(id=run.id).get()
    assert answer["Location"] == reverse("admin:automation_run_page", args=[new.uid])
    assert (new.parent_run_id, new.created_by_id) == (run.id, admin_of_all.user.id)
    assert [(step.path, step.is_kept) for step in StepRun.objects.filter(run=new)] == [("say", True)]


def test_run_again_starts_from_the_start(admin_of_all):
    run = make_run(status=RunStatus.SUCCEEDED, inputs={"a": 1})
    add_step(run, "say")

    admin_of_all.post(retry_address(run, "start"), {"confirmed": "yes"})

    new = Run.objects.exclude(id=run.id).get()
    assert new.data.input["inputs"] == {"a": 1}
    assert StepRun.objects.filter(run=new).count() == 0


def test_the_dialog_says_what_stays_what_goes_again_and_which_effects_repeat(admin_of_all):
    run = make_run(status=RunStatus.FAILED)
    add_step(run, "say", kind="http.request", effect="send")

    kept = admin_of_all.get(retry_address(run)).content.decode()
    again = admin_of_all.post(retry_address(run), {"from": "start"}).content.decode()

    assert "No effect that happened would happen again." in kept
    assert "1 effect would happen a second time" in again
    assert Run.objects.count() == 1


def test_the_dialog_takes_a_step_the_latest_version_and_other_inputs(admin_of_all):
    run = make_run(status=RunStatus.FAILED, inputs={"a": 1})
    form = {"from": "step:say", "version": "latest", "edit": "yes", "inputs": '{"a": 2}', "confirmed": "yes"}

    admin_of_all.post(retry_address(run), form)

    assert Run.objects.exclude(id=run.id).get().data.input["inputs"] == {"a": 2}


def test_a_run_is_pinned_and_let_loose_again(admin_of_all, looker):
    run = make_run()
    address = reverse("admin:automation_run_pin", args=[run.uid])

    refused = looker.post(address, {"to": "pinned"})
    admin_of_all.post(address, {"to": "pinned"})
    pinned = Run.objects.get().is_pinned
    admin_of_all.post(address, {"to": "loose"})

    assert (refused.status_code, pinned, Run.objects.get().is_pinned) == (403, True, False)


@pytest.mark.parametrize("inputs", ["{", "[]", '{"a": NaN}'])
def test_inputs_that_are_no_object_are_said_and_start_nothing(admin_of_all, inputs):
    run = make_run(status=RunStatus.FAILED)
    form = {"from": "start", "edit": "yes", "inputs": inputs, "confirmed": "yes"}

    answer = admin_of_all.post(retry_address(run), form)

    assert (answer.status_code, "Inputs: " in answer.content.decode()) == (200, True)
    assert Run.objects.count() == 1


@pytest.mark.parametrize("origin", ["step:nothing", "loop[17]", EVIL])
def test_a_step_that_is_none_is_refused_in_the_dialog(admin_of_all, origin):
    run = make_run(status=RunStatus.FAILED)

    answer = admin_of_all.post(retry_address(run), {"from": origin, "confirmed": "yes"})

    html = answer.content.decode()
    assert (answer.status_code, "there is no step" in html, EVIL in html) == (200, True, False)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (RunStatus.QUEUED, {"cancel", "pin"}),
        (RunStatus.SUCCEEDED, {"again", "pin"}),
        (RunStatus.FAILED, {"again", "from_failed", "pin"}),
    ],
)
def test_only_buttons_that_make_sense_are_shown(admin_of_all, status, shown):
    assert buttons(admin_of_all, make_run(status=status)) == shown


def test_a_looker_has_no_buttons_and_cannot_press_them_anyway(looker):
    run = make_run(status=RunStatus.FAILED)

    assert buttons(looker, run) == set()
    assert looker.post(retry_address(run), {"confirmed": "yes"}).status_code == 403
    assert looker.post(cancel_address(run), {"confirmed": "yes"}).status_code == 403
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("permission", "may"), [("cancel_run", {"cancel"}), ("retry_run", {"pin"})])
def test_each_button_has_a_permission_of_its_own(db, permission, may):
    assert buttons(make_staff("view_run", permission), make_run(status=RunStatus.QUEUED)) == may


def test_a_post_without_the_token_is_refused(admin_of_all):
    run = make_run(status=RunStatus.QUEUED)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_of_all.user)

    assert strict.post(cancel_address(run), {"confirmed": "yes"}).status_code == 403
    assert Run.objects.get().status == RunStatus.QUEUED


@pytest.mark.parametrize("name", ["automation_run_page", "automation_run_cancel"])
def test_people_who_are_no_staff_are_sent_to_the_login(db, client, name):
    run = make_run()
    person = make_staff(is_staff=False, is_superuser=True)

    for visitor in (client, person):
        answer = visitor.get(reverse(f"admin:{name}", args=[run.uid]))
        assert (answer.status_code, answer["Location"].startswith("/admin/login/")) == (302, True)


def test_staff_without_the_permission_to_look_are_refused(db):
    run = make_run()

    assert make_staff().get(reverse("admin:automation_run_page", args=[run.uid])).status_code == 403
    assert make_staff().get("/admin/automation/run/").status_code == 403
