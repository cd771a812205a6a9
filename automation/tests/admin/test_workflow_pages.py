"""The list of workflows, the page of one, and its buttons."""

import pytest
from django.urls import reverse

from automation.engine.status import RunStatus
from automation.models import Run, Workflow
from automation.tests.admin.conftest import EVIL, make_run, make_staff
from automation.tests.triggers.rows import make_schedule, make_workflow, make_workspace

pytestmark = pytest.mark.django_db

LIST = "/admin/automation/workflow/"
WANTS_DAY = {
    "schema": 1,
    "inputs": {
        "properties": {"day": {"type": "string", "examples": ["monday"]}, "copies": {"type": "integer", "default": 2}},
        "required": ["day"],
    },
    "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ inputs.day }}"}}],
}


def address(workflow, page="page"):
    return reverse(f"admin:automation_workflow_{page}", args=[workflow.id])


def listed(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_a_row_shows_the_last_runs_and_what_starts_it(admin_of_all):
    workflow = make_workflow()
    schedule = make_schedule(workflow)
    make_run(workflow)
    make_run(workflow, status=RunStatus.FAILED)

    (row,) = listed(admin_of_all)

    assert [bar.look.word for bar in row.sparks] == ["Succeeded", "Failed"]
    assert (row.last_look.word, row.runs_in_a_day) == ("Failed", 2)
    assert [starter.id for starter in row.starters] == [schedule.id]


def test_the_list_costs_the_same_queries_for_one_workflow_and_for_thirty(admin_of_all, django_assert_num_queries):
    for number in range(30):
        workflow = make_workflow(name=f"W{number}")
        make_run(workflow)
        make_schedule(workflow)
    listed(admin_of_all)

    # session, user, choices of three filters, two counts, rows, last runs, run counts, triggers
    with django_assert_num_queries(11):
        listed(admin_of_all)


def test_the_list_is_searched_and_filtered(admin_of_all):
    workspace = make_workspace("other")
    one = make_workflow(name="Payroll")
    two = make_workflow(name="Import", workspace=workspace, is_active=False)
    Workflow.objects.filter(id=two.id).update(tags=["nightly", "crm"], description="Reads customers")

    def found(**query):
        return [row.name for row in listed(admin_of_all, **query)]

    assert found(q="payr") == ["Payroll"]
    assert found(q="customers") == ["Import"]
    assert found(q="crm") == ["Import"]
    assert found(q=str(one.id)) == ["Payroll"]
    assert found(state="paused") == ["Import"]
    assert found(state="active") == ["Payroll"]
    assert found(state="archived") == []
    assert found(tag="nightly") == ["Import"]
    assert found(workspace=str(workspace.id)) == ["Import"]


def test_the_page_shows_definition_versions_triggers_and_runs(admin_of_all):
    workflow = make_workflow(definition=WANTS_DAY)
    make_schedule(workflow, cron="0 9 * * 1-5", inputs={"day": "monday"})
    run = make_run(workflow)

    html = admin_of_all.get(address(workflow)).content.decode()

    assert "At 09:00 on Monday through Friday" in html
    assert str(run.uid)[:8] in html
    assert html.index("&quot;schema&quot;") < html.index("&quot;inputs&quot;") < html.index("&quot;steps&quot;")
    assert "1.0.0" in html


def test_what_people_wrote_is_escaped(admin_of_all):
    workflow = make_workflow(name=EVIL)
    Workflow.objects.filter(id=workflow.id).update(description=EVIL, tags=[EVIL], definition={"steps": [], "x": EVIL})
    make_schedule(workflow, name=EVIL)

    html = "".join(
        admin_of_all.get(place).content.decode() for place in (LIST, address(workflow), "/admin/automation/trigger/")
    )

    assert EVIL not in html


def test_run_now_offers_the_declared_inputs_and_starts_a_run(admin_of_all):
    workflow = make_workflow(definition=WANTS_DAY)

    fields = admin_of_all.get(address(workflow, "run")).context["form"].fields
    shown = [(field.name, field.kind, field.value, field.is_required) for field in fields]
    answer = admin_of_all.post(address(workflow, "run"), {f"data.{field.name}": field.value for field in fields})

    run = Run.objects.get()
    assert shown == [("day", "text", "monday", True), ("copies", "number", "2", False)]
    assert answer["Location"] == reverse("admin:automation_run_page", args=[run.uid])
    assert run.data.input["inputs"] == {"copies": 2, "day": "monday"}
    assert run.created_by_id == admin_of_all.user.id


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ('{"copies": 3}', "Input &quot;day&quot; is required. Add it."),
        ('{"day": 5}', "Input &quot;day&quot; must be a text, got 5."),
        ("{nonsense", "JSON"),
        ("[1]", "Inputs are a JSON object in braces, got [1]."),
    ],
)
def test_inputs_that_do_not_fit_come_back_with_the_reason(admin_of_all, inputs, said):
    workflow = make_workflow(definition=WANTS_DAY)

    answer = admin_of_all.post(address(workflow, "run"), {"inputs": inputs})

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert answer.context["form"].text == inputs
    assert Run.objects.count() == 0


def test_what_is_wrong_with_a_field_stands_beside_it(admin_of_all):
    workflow = make_workflow(definition=WANTS_DAY)

    answer = admin_of_all.post(address(workflow, "run"), {"data.day": "tuesday", "data.copies": "1.5"})

    fields = {field.name: (field.value, field.problem) for field in answer.context["form"].fields}
    assert fields["day"] == ("tuesday", "")
    assert fields["copies"][0] == "1.5"
    assert fields["copies"][1] != ""
    assert Run.objects.count() == 0


def test_json_counts_before_the_fields(admin_of_all):
    workflow = make_workflow(definition=WANTS_DAY)

    admin_of_all.post(address(workflow, "run"), {"data.day": "tuesday", "inputs": '{"day": "friday"}'})

    assert Run.objects.get().data.input["inputs"] == {"copies": 2, "day": "friday"}


def test_a_workflow_without_inputs_is_run_by_one_button(admin_of_all):
    workflow = make_workflow()

    answer = admin_of_all.post(address(workflow, "run"), {})

    assert answer["Location"] == reverse("admin:automation_run_page", args=[Run.objects.get().uid])


def test_pause_and_activate_switch_one_workflow(admin_of_all):
    workflow = make_workflow()

    admin_of_all.post(address(workflow, "switch"), {"to": "paused"})
    paused = Workflow.objects.get().is_active
    admin_of_all.post(address(workflow, "switch"), {"to": "active"})

    assert (paused, Workflow.objects.get().is_active) == (False, True)


def test_switching_needs_a_post(admin_of_all):
    assert admin_of_all.get(address(make_workflow(), "switch")).status_code == 405


def test_many_workflows_are_paused_from_the_list(admin_of_all):
    rows = [make_workflow(name=f"W{number}") for number in range(3)]

    answer = admin_of_all.post(
        LIST, {"action": "pause", "_selected_action": [str(row.id) for row in rows[:2]]}, follow=True
    )

    assert "Paused 2 workflows. Runs under way go on." in answer.content.decode()
    assert list(Workflow.objects.order_by("name").values_list("is_active", flat=True)) == [False, False, True]


def test_a_looker_sees_no_buttons_and_cannot_press_them(looker):
    workflow = make_workflow()
    html = looker.get(address(workflow)).content.decode()

    assert "Run now" not in html
    assert "Pause" not in html
    assert looker.get(address(workflow, "run")).status_code == 403
    assert looker.post(address(workflow, "switch"), {"to": "paused"}).status_code == 403
    looker.post(LIST, {"action": "pause", "_selected_action": [str(workflow.id)]})
    assert Workflow.objects.get().is_active


def test_running_and_switching_are_two_permissions(db):
    workflow = make_workflow()
    runner = make_staff("view_workflow", "run_workflow")

    html = runner.get(address(workflow)).content.decode()

    assert ("Run now" in html, "Pause" in html) == (True, False)


def test_a_paused_workflow_has_no_run_button(admin_of_all):
    assert "Run now" not in admin_of_all.get(address(make_workflow(is_active=False))).content.decode()


def test_a_missing_workflow_is_not_found_and_nothing_can_be_edited(admin_of_all):
    workflow = make_workflow()

    assert admin_of_all.get(f"{LIST}00000000-0000-4000-8000-000000000000/").status_code == 404
    assert admin_of_all.get(f"{LIST}add/").status_code == 403
    assert admin_of_all.post(f"{LIST}{workflow.id}/delete/", {"post": "yes"}).status_code == 403
    assert admin_of_all.get(f"{LIST}{workflow.id}/change/")["Location"] == address(workflow)


@pytest.mark.parametrize("model", ["workflow", "trigger"])
@pytest.mark.parametrize("id_", ["x", "%00", "9" * 400, "_00"])
def test_what_is_no_id_leads_nowhere(admin_of_all, model, id_):
    assert admin_of_all.get(f"/admin/automation/{model}/{id_}/change/").status_code == 404


@pytest.mark.parametrize("model", ["workflow", "trigger"])
def test_an_action_on_what_is_no_id_is_refused(admin_of_all, model):
    make_workflow()

    response = admin_of_all.post(f"/admin/automation/{model}/", {"action": "pause", "_selected_action": ["x"]})

    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")
