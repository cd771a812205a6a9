"""How triggers are doing, on one page and on the page of each; trying one from there."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from automation.models import Arrival, Run, RunMode, Source, Trigger
from automation.services import runnable
from automation.services.sources import follow
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.arrivals.conftest import inbox  # noqa: F401 - a fixture
from automation.tests.arrivals.rows import bring, items, make_trigger
from automation.tests.triggers.rows import make_schedule, make_workflow
from automation.triggers import all_trigger_kinds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


@pytest.fixture
def polled(inbox):  # noqa: F811 - the fixture
    """A trigger with a source, whose texts would do harm if a page did not escape them."""
    trigger = make_trigger(make_workflow(name=EVIL), name=EVIL, condition="{{ trigger.item.name != 'b' }}")
    follow(all_trigger_kinds()["inbox"], trigger, None)
    return trigger


def place(name, trigger):
    return reverse(f"admin:automation_trigger_{name}", args=[trigger.id])


def html(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_triggers_stand_on_one_page_those_that_fail_first(admin_of_all, polled, django_assert_max_num_queries):
    make_schedule(make_workflow(name="Nightly"), due=timedelta(hours=1))
    bring(polled, items("a", "b"))
    Source.objects.update(last_error=f"No answer {EVIL}", last_error_code="unreachable", failing_since=Now())

    with django_assert_max_num_queries(20):
        page = html(admin_of_all.get(reverse("admin:automation_trigger_health")))
    failing = html(admin_of_all.get(reverse("admin:automation_trigger_health"), {"state": "failing"}))

    assert EVIL not in page
    assert page.index("No answer") < page.index("Nightly")
    assert "1 ran · 1 condition false" in page
    assert "Nightly" not in failing


def test_the_page_of_a_trigger_says_how_it_is_doing_and_what_reached_it(admin_of_all, polled):
    (ran, _) = bring(polled, items("a", "b"))
    Source.objects.update(waits_for="The workflow's limit is full.", waits_since=Now())

    page = html(admin_of_all.get(place("page", polled)))

    assert EVIL not in page
    for said in ("What was found waits", "Look now", "Condition false", str(ran.run_uid)[:8], "Runs only if"):
        assert said in page


def test_the_condition_is_saved_from_the_page_and_refused_with_the_reason(admin_of_all, polled):
    admin_of_all.post(place("condition", polled), {"condition": " {{ trigger.item.total > 3 }} "})
    refused = admin_of_all.post(place("condition", polled), {"condition": "{{ steps.a.output }}"}, follow=True)

    polled.refresh_from_db()
    assert polled.condition == "{{ trigger.item.total > 3 }}"
    assert "is not known before there is a run" in refused.content.decode()


def test_a_look_is_asked_for_from_the_page(admin_of_all, polled):
    Source.objects.update(next_at=Now() + timedelta(hours=1))

    admin_of_all.post(place("look", polled))

    assert Source.objects.filter(next_at__lte=Now()).exists()


def test_a_trigger_is_tried_with_what_came_and_with_given_data(admin_of_all, polled):
    bring(polled, items("b"))

    came = html(admin_of_all.get(place("try", polled), {"sample": str(Arrival.objects.get().id)}))
    given = html(admin_of_all.post(place("try", polled), {"data": '{"name": "x"}'}))
    wrong = html(admin_of_all.post(place("try", polled), {"data": "{"}))

    assert "It would start no run (condition_false)" in came
    assert "It would start a run" in given
    assert 'role="alert"' in wrong
    assert Run.objects.count() == 0


def test_a_test_run_is_started_from_the_page(admin_of_all, polled):
    answer = admin_of_all.post(place("try", polled), {"data": '{"name": "x"}', "run": "yes"})

    run = Run.objects.get()
    assert (answer["Location"], run.mode) == (reverse("admin:automation_run_page", args=[run.uid]), RunMode.TEST)


def test_who_may_only_look_starts_nothing(polled):
    client = make_staff("view_trigger", "view_run")

    assert "Start a test run" not in html(client.get(place("try", polled)))
    assert client.post(place("try", polled), {"data": "{}", "run": "yes"}).status_code == 403
    assert client.post(place("look", polled)).status_code == 403
    assert client.post(place("condition", polled), {"condition": ""}).status_code == 403
    assert Trigger.objects.count() == 1
