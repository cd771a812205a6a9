"""The list of runs and the page of one run."""

import pytest
from django.urls import reverse

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Run
from automation.tests.admin.conftest import EVIL, add_lines, add_step, make_run, set_data
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db

LIST = "/admin/automation/run/"


def page(client, run, **query):
    answer = client.get(reverse("admin:automation_run_page", args=[run.uid]), query)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def listed(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer
    return [run.uid for run in answer.context["cl"].result_list]


def test_the_list_costs_the_same_queries_for_one_run_and_for_fifty(admin_of_all, django_assert_num_queries):
    workflow = make_workflow()
    make_run(workflow)
    admin_of_all.get(LIST)
    for _ in range(49):
        make_run(workflow)

    # session, user, the choices of two filters, the rows
    with django_assert_num_queries(5):
        answer = admin_of_all.get(LIST)

    assert len(answer.context["cl"].result_list) == 50


def test_the_list_never_counts(admin_of_all, django_capture_on_commit_callbacks, django_assert_max_num_queries):
    make_run()

    with django_assert_max_num_queries(10) as queries:
        admin_of_all.get(LIST)

    assert [query for query in queries.captured_queries if "COUNT(" in query["sql"].upper()] == []


def test_older_pages_follow_without_a_count(admin_of_all):
    workflow = make_workflow()
    runs = [make_run(workflow).uid for _ in range(51)][::-1]

    first, second = admin_of_all.get(LIST), admin_of_all.get(LIST, {"p": 2})

    assert [run.uid for run in first.context["cl"].result_list] == runs[:50]
    assert [run.uid for run in second.context["cl"].result_list] == runs[50:]
    assert (first.context["cl"].paginator.has_more, second.context["cl"].paginator.has_more) == (True, False)
    assert "Older" in first.content.decode()
    assert "Newer" in second.content.decode()


def test_the_list_is_filtered_by_status_workflow_workspace_trigger_and_time(admin_of_all):
    failed = make_run(make_workflow(name="One"), status=RunStatus.FAILED)
    done = make_run(make_workflow(name="Two"))

    assert listed(admin_of_all, status="failed") == [failed.uid]
    assert listed(admin_of_all, status="unhappy") == [failed.uid]
    assert listed(admin_of_all, status="succeeded") == [done.uid]
    assert listed(admin_of_all, status="purple") == []
    assert listed(admin_of_all, workflow=str(failed.workflow_id)) == [failed.uid]
    assert listed(admin_of_all, workflow="' or 1=1") == []
    assert listed(admin_of_all, workspace=str(failed.workspace_id)) == [done.uid, failed.uid]
    assert listed(admin_of_all, trigger="schedule") == []
    assert listed(admin_of_all, trigger="none", created="1h") == [done.uid, failed.uid]


def test_a_run_is_found_by_its_id_by_the_beginning_of_it_and_by_its_workflow(admin_of_all):
    run, _other = make_run(make_workflow(name="Bookkeeping")), make_run(make_workflow(name="Other"))

    for text in (str(run.uid), run.uid.hex, str(run.uid)[:8], str(run.uid)[:13], "bookkeep"):
        assert listed(admin_of_all, q=text) == [run.uid]


def test_an_empty_list_says_what_to_do(admin_of_all):
    assert "Nothing has run yet." in admin_of_all.get(LIST).content.decode()
    assert "No run matches." in admin_of_all.get(LIST, {"status": "failed"}).content.decode()


def test_the_page_shows_steps_with_states_ports_reasons_and_errors(admin_of_all):
    definition = {
        "schema": 1,
        "steps": [
            {"id": "look", "name": "Look closely", "uses": "condition", "with": {"when": "{{ 1 > 2 }}"}},
            {"id": "shout", "uses": "log", "needs": ["look.true"], "with": {"message": "x"}},
            {"id": "send", "uses": "http.request", "needs": ["look.false"], "with": {"url": "https://x.test"}},
            {"id": "last", "uses": "log", "needs": ["send"], "with": {"message": "y"}},
        ],
    }
    run = make_run(make_workflow(definition=definition), status=RunStatus.FAILED)
    operands = [{"expression": "inputs.total", "value": 7}]
    add_step(
        run, "look", port="false", reason={"expression": "{{ inputs.total > 9 }}", "value": False, "operands": operands}
    )
    add_step(run, "shout", StepStatus.SKIPPED, reason={"type": "needs", "message": "look took false."})
    error = {"type": "http_status", "message": "503 Service Unavailable", "step": "send", "attempt": 3}
    add_step(run, "send", StepStatus.FAILED, attempt=3, error=error)
    set_data(run, error=error)

    answer = admin_of_all.get(reverse("admin:automation_run_page", args=[run.uid]))
    rows = answer.context["run"].timeline.rows
    html = answer.content.decode()

    assert [(row.title, row.look.word, row.note[-2:] or "", row.port) for row in rows] == [
        ("Look closely", "Succeeded", " s", "false"),
        ("shout", "Skipped", "ed", None),
        ("send", "Failed", " s", None),
        ("last", "Not run", "–", None),
    ]
    assert [row.message for row in rows] == ["", "look took false.", "503 Service Unavailable", ""]
    assert answer.context["run"].timeline.summary == "1 succeeded, 1 skipped, 1 failed, 1 not run"
    assert "send failed after 3 attempts" in html
    assert "inputs.total" in html


@pytest.mark.parametrize(
    ("status", "wait_kind", "word"),
    [
        (RunStatus.QUEUED, None, "Queued"),
        (RunStatus.WAITING, WaitKind.RETRY, "Waits to retry"),
        (RunStatus.CANCELLED, None, "Cancelled"),
        (RunStatus.TIMED_OUT, None, "Timed out"),
        (RunStatus.SUSPECT, None, "Waits to run alone"),
    ],
)
def test_each_state_has_a_word(admin_of_all, status, wait_kind, word):
    assert word in page(admin_of_all, make_run(status=status, wait_kind=wait_kind))


def test_everything_a_stranger_wrote_is_escaped(admin_of_all):
    run = make_run(make_workflow(name=EVIL), status=RunStatus.FAILED, inputs={"x": EVIL})
    add_step(run, EVIL, StepStatus.FAILED, output={"y": EVIL}, error={"message": EVIL, "type": EVIL}, port=EVIL)
    add_step(run, "b", StepStatus.SKIPPED, reason={"message": EVIL, "operands": [{"expression": EVIL, "value": EVIL}]})
    add_lines(run, 1, EVIL)
    set_data(run, error={"message": EVIL, "step": EVIL}, output=EVIL, response={"body": EVIL})

    html = (
        page(admin_of_all, run)
        + page(admin_of_all, run, tab="log")
        + page(admin_of_all, run, tab="effects")
        + admin_of_all.get(LIST).content.decode()
        + admin_of_all.get("/admin/").content.decode()
    )

    assert EVIL not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_large_value_is_cut_on_the_page_and_whole_in_the_download(admin_of_all):
    run = make_run(inputs={"text": "x" * 60_000})
    add_step(run, "say", output={"text": "y" * 60_000})

    html = page(admin_of_all, run)
    download = admin_of_all.get(reverse("admin:automation_run_data", args=[run.uid, "inputs"]))

    assert "only the beginning is shown" in html
    assert len(html) < 200_000
    assert download.json() == {"text": "x" * 60_000}
    assert download["Content-Disposition"] == f'attachment; filename="run-{run.uid}-inputs.json"'
    assert download["Content-Type"] == "application/json"


def test_a_part_that_is_none_is_not_downloaded(admin_of_all):
    run = make_run()

    assert admin_of_all.get(f"/admin/automation/run/{run.uid}/data/claim.json").status_code == 404


def log_of(client, run, **query):
    answer = client.get(reverse("admin:automation_run_page", args=[run.uid]), {"tab": "log", **query})
    assert answer.status_code == 200
    return answer.context["run"].log


def test_the_log_is_shown_in_pages(admin_of_all):
    run = make_run()
    add_lines(run, 150)

    first = log_of(admin_of_all, run)
    second = log_of(admin_of_all, run, log_after=first.lines[-1]["seq"])

    assert [len(first.lines), len(second.lines)] == [100, 50]
    assert first.next_query == f"tab=log&log_after={first.lines[-1]['seq']}"
    assert (second.lines[0]["message"], second.next_query) == ("line 100", None)


def test_log_lines_are_chosen_by_level_step_and_attempt(admin_of_all):
    run = make_run()
    add_lines(run, 3)
    run.logs.filter(seq=1_000_001).update(level="error", attempt=2)
    run.logs.filter(seq=1_000_002).update(path="other")

    assert [line["message"] for line in log_of(admin_of_all, run, level="error").lines] == ["line 1"]
    assert [line["message"] for line in log_of(admin_of_all, run, path="say", attempt=1).lines] == ["line 0"]
    assert len(log_of(admin_of_all, run, level="loud", attempt="x", log_after="-1").lines) == 3
    assert log_of(admin_of_all, run, path="\0").lines != []


def test_a_log_line_shows_its_fields(admin_of_all):
    run = make_run()
    add_lines(run, 1)
    run.logs.update(fields={"order": "A-17"})

    assert "A-17" in page(admin_of_all, run, tab="log")


def test_the_page_costs_the_same_queries_for_one_step_and_for_many(admin_of_all, django_assert_num_queries):
    small, large = make_run(), make_run()
    add_step(small, "say")
    for number in range(40):
        add_step(large, f"say{number}")
    add_lines(large, 90)
    page(admin_of_all, small)

    # session, user, workspace, head, steps, definition, retries and called runs
    with django_assert_num_queries(7):
        page(admin_of_all, large)


def test_retries_are_linked_both_ways(admin_of_all):
    first = make_run()
    second = make_run(first.workflow, parent_run=first)

    assert str(second.uid)[:8] in page(admin_of_all, first)
    assert str(first.uid)[:8] in page(admin_of_all, second)


def test_the_live_part_is_served_alone_to_the_script_of_the_page(admin_of_all):
    run = make_run(status=RunStatus.QUEUED)
    address = reverse("admin:automation_run_page", args=[run.uid])

    whole = admin_of_all.get(address).content.decode()
    part = admin_of_all.get(address, headers={"Brainops-Live": "1"}).content.decode()

    assert ("<html" in whole, "<html" in part) == (True, False)
    assert 'data-final="no"' in part
    assert "brainops/run.js" in whole


def test_djangos_own_address_of_a_run_leads_to_its_page(admin_of_all):
    run = make_run()

    answer = admin_of_all.get(f"/admin/automation/run/{run.pk}/change/")

    assert (answer.status_code, answer["Location"]) == (302, f"/admin/automation/run/{run.uid}/")
    assert admin_of_all.get("/admin/automation/run/999999/change/").status_code == 404


def test_nothing_about_a_run_can_be_edited_or_deleted(admin_of_all):
    run = make_run()

    assert admin_of_all.post(f"/admin/automation/run/{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_of_all.get("/admin/automation/run/add/").status_code == 403
    assert Run.objects.count() == 1


def test_a_missing_run_is_not_found(admin_of_all):
    assert admin_of_all.get("/admin/automation/run/00000000-0000-4000-8000-000000000000/").status_code == 404
