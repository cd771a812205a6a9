"""What containers and loops do when several attempts are under way at once, and when a process dies just then."""

from __future__ import annotations

from datetime import timedelta

from automation.engine.course import DEFAULT_LIMITS, Course, Limits
from automation.engine.course.items import checksum
from automation.engine.results import StepResult
from automation.engine.scope import new_scope
from automation.engine.simulate import START
from automation.engine.status import RunStatus, StepStatus
from automation.tests.engine.samples import plan, step


def course_of(planned, rows=(), limits=DEFAULT_LIMITS):
    scope = new_scope(planned, inputs={}, trigger=None, run={"id": "run"})
    return Course(planned, rows, scope, now=START, limits=limits)


def begun(course):
    """Every place that may be attempted now, under way."""
    places = []
    while (place := course.take_ready()) is not None:
        course.start(place)
        places.append(place)
    return places


def ended(place, status=StepStatus.SUCCEEDED, **fields):
    error = {"type": "boom", "message": "It failed."} if status is StepStatus.FAILED else None
    return StepResult(place.step.path, "transform", status, error=error, **fields)


LOOP = {"items": [1, 2, 3], "concurrency": 2}


def test_a_loop_that_was_about_to_fail_fails_after_its_process_died():
    planned = plan(step("each", for_each=LOOP))
    course = course_of(planned)
    first, _second = begun(course)
    course.record(first, ended(first, StepStatus.FAILED), START)
    stored = course.take_rows()  # and here the process dies, with the second item under way

    resumed = course_of(planned, stored)

    for place in begun(resumed):
        resumed.record(place, ended(place), START)
    assert resumed.verdict is not None
    assert (resumed.verdict.status, resumed.verdict.step) == (RunStatus.FAILED, "each")


def test_what_was_marked_in_a_loop_that_was_about_to_fail_is_unknown():
    planned = plan(step("each", for_each=LOOP))
    course = course_of(planned)
    first, second = begun(course)
    course.mark_started(second, StepResult("each[1]", "transform", StepStatus.STARTED, effect="create"))
    course.record(first, ended(first, StepStatus.FAILED), START)

    resumed = course_of(planned, course.take_rows())

    rows = {row.path: row for row in resumed.take_rows()}
    assert resumed.verdict is not None
    assert [item["status"] for item in rows["each[0-2]"].output["items"]] == ["failed", "cancelled"]
    assert rows["each[0-2]"].output["items"][1]["steps"][0]["status"] == "unknown"


def test_a_pass_whose_time_comes_while_its_group_gives_up_does_not_begin():
    again = {"id": "again", "while": {"when": True, "max_iterations": 9, "every": "1s"}, "steps": [step("inner")]}
    planned = plan({"id": "both", "steps": [again, step("slow"), step("bad")]})
    course = course_of(planned)
    places = {place.step.id: place for place in begun(course)}
    course.record(places["inner"], ended(places["inner"]), START)
    course.record(places["bad"], ended(places["bad"], StepStatus.FAILED), START)  # the group waits for `slow` only

    assert course.next_due() is None
    assert not course.ring(START + timedelta(seconds=5))
    assert begun(course) == []


def test_a_mark_without_a_result_becomes_unknown_when_the_run_ends():
    planned = plan(step("send"))
    course = course_of(planned)
    (place,) = begun(course)
    course.mark_started(place, StepResult("send", "transform", StepStatus.STARTED, effect="create"))

    course.end(START)

    (row,) = course.take_rows()
    assert row.status is StepStatus.UNKNOWN


def test_items_that_storing_changes_belong_to_their_batch_still():
    before = [1e16, -2.5e17, 1e30, 0.5, 1e-7, float("inf"), {"b": [1e16], "a": "1e5"}]
    after = [10**16, -25 * 10**16, 1e30, 0.5, 1e-7, None, {"a": "1e5", "b": [10**16]}]

    assert checksum(before) == checksum(after)
    assert checksum(before) != checksum(before[1:])


def test_a_resumed_run_weighs_the_output_of_a_loop_once():
    planned = plan(step("each", for_each={"items": [1, 2, 3], "batch": 1}), step("last", "each"))
    course = course_of(planned, limits=Limits(run_bytes=3_000))
    for place in iter(course.take_ready, None):
        course.start(place)
        output = "x" * (700 if place.step.id == "each" else 100)
        course.record(place, ended(place, output=output), START)
        if place.step.path == "each[2]":
            course = course_of(planned, course.take_rows(), limits=Limits(run_bytes=3_000))  # it parked, or died

    assert course.verdict is not None
    assert course.verdict.status is RunStatus.SUCCEEDED
