"""Loops, tries, groups and calls in documents: what is refused and with which way out."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import branch, document, step


def refusals(*steps, **rest):
    return check_document(document(*steps, **rest), all_kinds())


def reading(expression, name="tell", **rest):
    return step(name, **{"with": {"set": {"x": expression}}, **rest})


def loop(*steps, name="loop", **fields):
    return {"id": name, "for_each": {"items": "{{ inputs.lines }}"}, "steps": list(steps), **fields}


def poll(*steps, name="poll", when="{{ index < 3 }}", **fields):
    return {"id": name, "while": {"when": when, "max_iterations": 5}, "steps": list(steps), **fields}


def guarded(*steps, name="safe", **fields):
    fields = {"catch": [step("repair")], **fields}
    return {"id": name, "try": fields, "steps": list(steps)}


EVERYTHING = [
    step("a"),
    loop(reading("{{ item.x }} {{ index }} {{ steps.a.output }}"), needs=["a"], output="{{ steps.tell.output }}"),
    step("each", "loop", for_each={"items": [1, "{{ inputs.x }}"], "label": "No. {{ item }}"}, retry={}, **{"if": "{{ item }}"}),
    poll(step("page", "next", **{"if": "{{ item is none }}"}), step("next"), output={"next": "{{ steps.page.output }}"}),
    {
        "id": "safe",
        "try": {
            "catch": [reading("{{ error.message }} {{ steps.group.output }}", name="repair")],
            "finally": [reading("{{ error }} {{ steps.group.status }}", name="clean")],
        },
        "needs": ["group"],
        "steps": [step("risky")],
    },
    {"id": "group", "steps": [step("inner")]},
    {"id": "sub", "call": {"workflow": "billing", "inputs": {"x": "{{ steps.group.output }}"}}, "needs": ["group"], "retry": {}},
    {"id": "all", "for_each": {"items": "{{ inputs.ids }}"}, "call": {"workflow": "w", "wait": False, "inputs": {"x": "{{ item }}"}}},
    step("last", "each", **{"with": {"set": {"x": "{{ steps.each.output[0].x }} {{ steps.each.output | length }}"}}}),
]  # fmt: skip


def test_every_container_is_accepted():
    assert refusals(*EVERYTHING) == ()


@pytest.mark.parametrize(
    ("fields", "code", "pointer", "message"),
    [
        (
            {"for_each": {"items": []}, "try": {"catch": [step("c")]}},
            "conflicting_fields",
            "/steps/0/try",
            '"for_each" and "try" cannot stand on one step. '
            'Nest them: a step with "for_each" whose "steps" hold the one with "try".',
        ),
        (
            {"for_each": {"items": []}, "while": {"when": True, "max_iterations": 2}},
            "conflicting_fields",
            "/steps/0/while",
            '"for_each" and "while" cannot stand on one step. '
            'Nest them: a step with "for_each" whose "steps" hold the one with "while".',
        ),
        (
            {"while": {"when": True, "max_iterations": 2}, "try": {"finally": [step("c")]}},
            "conflicting_fields",
            "/steps/0/try",
            '"while" and "try" cannot stand on one step. '
            'Nest them: a step with "while" whose "steps" hold the one with "try".',
        ),
        (
            {"retry": {"max_attempts": 2}},
            "misplaced_field",
            "/steps/0/retry",
            '"retry" cannot repeat a whole container. Put it on the steps inside.',
        ),
        (
            {"for_each": {"items": []}, "retry": {"max_attempts": 2}},
            "misplaced_field",
            "/steps/0/retry",
            '"retry" cannot repeat a whole container. Put it on the steps inside.',
        ),
        (
            {"on_unknown": "ask"},
            "misplaced_field",
            "/steps/0/on_unknown",
            '"on_unknown" is about one effect. Put it on the steps inside.',
        ),
        (
            {"while": {"when": "yes", "max_iterations": 2}},
            "constant_condition",
            "/steps/0/while/when",
            '"while.when" must be one expression such as "{{ index < 3 }}", got "yes".',
        ),
        (
            {"while": {"when": "{{ true }}", "max_iterations": 2, "every": "0s"}},
            "invalid_value",
            "/steps/0/while/every",
            '"while.every" must be more than 0, got 0s.',
        ),
        (
            {"for_each": {"items": "a, {{ inputs.b }}"}},
            "constant_items",
            "/steps/0/for_each/items",
            '"for_each.items" must be a list or one expression such as "{{ inputs.lines }}", got "a, {{ inputs.b }}".',
        ),
        (
            {"for_each": {"items": {}}},
            "wrong_type",
            "/steps/0/for_each/items",
            '"for_each.items" must be a list or one expression such as "{{ steps.order.output.lines }}", got {}.',
        ),
    ],
)
def test_what_a_container_cannot_be_is_refused(fields, code, pointer, message):
    container = {"id": "box", "steps": [step("a")], **fields}

    assert refusals(container) == (Problem(code, f'Step "box": {message}', pointer),)


@pytest.mark.parametrize(
    ("fields", "code", "pointer", "message"),
    [
        (
            {"call": {"workflow": "{{ inputs.name }}"}},
            "constant_wanted",
            "/steps/0/call/workflow",
            '"call.workflow" is written out, so that circles can be found; got "{{ inputs.name }}". '
            "Call one of several by a condition and a step for each.",
        ),
        (
            {"call": {"workflow": "w", "wait": False, "on_failure": "continue"}},
            "conflicting_fields",
            "/steps/0/call/on_failure",
            '"call.on_failure" needs "wait": the end of the called run is not seen. Remove it.',
        ),
        (
            {"call": {"workflow": "w", "on_failure": "ignore"}},
            "invalid_value",
            "/steps/0/call/on_failure",
            '"call.on_failure" must be "fail" or "continue", got "ignore".',
        ),
        (
            {"call": {"workflow": "w"}, "on_unknown": "ask"},
            "misplaced_field",
            "/steps/0/on_unknown",
            '"on_unknown" has no meaning for a call, which starts its run exactly once. Remove it.',
        ),
        (
            {"uses": "log", "with": {"message": "x"}, "on_unknown": "ask", "retry": {"unsafe": True}},
            "conflicting_fields",
            "/steps/0/retry/unsafe",
            '"retry.unsafe" repeats what "on_unknown" "ask" would not. Remove "retry.unsafe".',
        ),
        (
            {"uses": "log", "with": {"message": "x"}, "on_unknown": "repeat"},
            "invalid_value",
            "/steps/0/on_unknown",
            '"on_unknown" must be "fail", "ask" or "retry", got "repeat".',
        ),
    ],
)
def test_what_a_call_or_an_effect_cannot_be_is_refused(fields, code, pointer, message):
    assert refusals({"id": "sub", **fields}) == (Problem(code, f'Step "sub": {message}', pointer),)


@pytest.mark.parametrize("unsafe", [{"on_unknown": "retry", "retry": {"unsafe": True}}, {"retry": {"unsafe": True}}])
def test_the_old_word_for_on_unknown_retry_may_stand_beside_it(unsafe):
    assert refusals(step("a", **unsafe)) == ()


@pytest.mark.parametrize(
    ("steps", "pointer", "message"),
    [
        # what is asked for the whole list has no item yet
        (
            [step("a", for_each={"items": "{{ item }}"})],
            "/steps/0/for_each/items",
            'Step "a": "item" exists only inside',
        ),
        ([poll(step("b"), **{"if": "{{ index }}"})], "/steps/0/if", 'Step "poll": "index" exists only inside'),
        # `error` belongs to the steps that deal with it
        ([guarded(reading("{{ error.type }}"))], "/steps/0/steps/0/with/set/x", 'Step "tell": "error" exists only in'),
        ([step("a"), reading("{{ error }}")], "/steps/1/with/set/x", 'Step "tell": "error" exists only in the steps'),
        # from outside a container is one step
        (
            [loop(step("b")), reading("{{ steps.b.output }}", needs=["loop"])],
            "/steps/1/with/set/x",
            'Step "tell": "steps.b" is inside "loop". From outside read "steps.loop.output".',
        ),
        (
            [loop(loop(step("b"), name="deep")), reading("{{ steps.b.output }}", needs=["loop"])],
            "/steps/1/with/set/x",
            'Step "tell": "steps.b" is inside "loop". From outside read "steps.loop.output".',
        ),
        (
            [loop(loop(step("b"), name="deep"), reading("{{ steps.b.output }}", needs=["deep"]))],
            "/steps/0/steps/1/with/set/x",
            'Step "tell": "steps.b" is inside "deep". From outside read "steps.deep.output".',
        ),
        # a container cannot be read before it has ended
        (
            [poll(reading("{{ steps.poll.output }}"))],
            "/steps/0/steps/0/with/set/x",
            'Step "tell": "steps.poll" is around this step and has no output yet. '
            'The output of the pass before is "item".',
        ),
        (
            [loop(reading("{{ steps.loop.output }}"))],
            "/steps/0/steps/0/with/set/x",
            'Step "tell": "steps.loop" is around this step and has no output yet.',
        ),
        (
            [poll(step("b"), when="{{ steps.b.output }}")],
            "/steps/0/while/when",
            'Step "poll": "steps.b" is inside this step and has not run yet.',
        ),
        (
            [poll(step("b"), output="{{ steps.poll.output }}")],
            "/steps/0/output",
            'Step "poll": "steps.poll" is the step itself, which has no output yet.',
        ),
        # the container must wait for what its steps read
        (
            [step("a"), loop(reading("{{ steps.a.output }}"))],
            "/steps/1/steps/0/with/set/x",
            'Step "tell": "steps.a" need not be finished by then. Add "a" to the needs of "loop".',
        ),
        (
            [loop(reading("{{ steps.a.output }}")), step("a", "loop")],
            "/steps/0/steps/0/with/set/x",
            'Step "tell": "steps.a" runs after this step. Only steps it waits for can be read.',
        ),
        (
            [guarded(reading("{{ steps.repair.output }}"))],
            "/steps/0/steps/0/with/set/x",
            'Step "tell": "steps.repair" is in "catch" and runs after this step.',
        ),
        (
            [guarded(step("b"), **{"finally": [step("end")]}), loop(step("c"), output="{{ steps.b.output }}")],
            "/steps/1/output",
            'Step "loop": "steps.b" is inside "safe". From outside read "steps.safe.output".',
        ),
        (
            [guarded(step("b"), catch=[reading("{{ steps.b.output }}")])],
            "/steps/0/try/catch/0/with/set/x",
            'Step "tell": "steps.b" is in "steps", and a step of "catch" does not see how far that came. Read "error".',
        ),
        # the output of a loop is a list
        (
            [step("a", for_each={"items": [1]}), reading("{{ steps.a.output.total }}", needs=["a"])],
            "/steps/1/with/set/x",
            'Step "tell": "steps.a.output" is a list, an output for each item, and has no field "total". '
            'Take one with [0], or this field of all with |map(attribute="total").',
        ),
    ],
)
def test_what_an_expression_cannot_see_is_refused(steps, pointer, message):
    (problem,) = refusals(*steps)

    assert problem.pointer == pointer
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("steps", "pointer", "message"),
    [
        (
            [guarded(step("b"), catch=[step("c", "b")])],
            "/steps/0/try/catch/0/needs/0",
            'Step "c": needs name steps of the same list; '
            '"b" is in "steps", and "catch" begins when "steps" has ended. Remove it.',
        ),
        (
            [guarded(step("b", "f"), **{"finally": [step("f")]})],
            "/steps/0/steps/0/needs/0",
            'Step "b": needs name steps of the same list; '
            '"f" is in "finally", and "finally" begins when "steps" has ended. Remove it.',
        ),
        (
            [loop(step("b", "loop"))],
            "/steps/0/steps/0/needs/0",
            'Step "b": needs name steps of the same list; "loop" is around this step. Remove it.',
        ),
        (
            [loop(step("b"), needs=["b"])],
            "/steps/0/needs/0",
            'Step "loop": needs name steps of the same list; "b" is inside this step. Remove it.',
        ),
        (
            [loop(step("b")), poll(step("c", "b"))],
            "/steps/1/steps/0/needs/0",
            'Step "c": needs name steps of the same list; "b" is inside "loop". Remove it and let "poll" need "loop".',
        ),
        (
            [loop(loop(step("b"), name="deep")), step("c", "b")],
            "/steps/1/needs/0",
            'Step "c": needs name steps of the same list; "b" is inside "loop". Need "loop" instead.',
        ),
        (
            [step("a"), loop(loop(step("b", "a"), name="deep"))],
            "/steps/1/steps/0/steps/0/needs/0",
            'Step "b": needs name steps of the same list; "a" stands outside of "loop". Move the need to "loop".',
        ),
    ],
)
def test_a_need_of_another_list_names_the_steps_that_can_be_joined(steps, pointer, message):
    assert Problem("foreign_need", message, pointer) in refusals(*steps)


@pytest.mark.parametrize(
    ("container", "port", "advice"),
    [
        (loop(step("x"), name="box"), "x", 'It has only one; need "box".'),
        (loop(step("x"), name="box"), "error", 'Set "on_error": "continue" on "box", else its failure ends the run.'),
        (poll(step("x"), name="box", on_error="continue"), "x", 'It has "box.error".'),
        (guarded(step("x"), name="box"), "true", 'It has "box.ok" and "box.caught".'),
        (guarded(step("x"), name="box"), "caugth", 'Did you mean "box.caught"?'),
        ({"id": "box", "call": {"workflow": "w"}}, "ok", 'It has only one; need "box".'),
        (branch("box", for_each={"items": [1]}), "true", 'It has only one; need "box".'),
    ],
)
def test_a_container_has_the_outcomes_of_its_own_only(container, port, advice):
    (problem,) = refusals(container, step("after", f"box.{port}"))

    assert problem == Problem(
        "unknown_port", f'Step "after": "box" has no outcome "{port}". {advice}', "/steps/1/needs/0"
    )


def test_both_outcomes_of_a_try_and_its_error_can_be_needed():
    safe = {**guarded(step("x"), name="box"), "on_error": "continue"}

    assert refusals(safe, step("a", "box.ok"), step("b", "box.caught"), step("c", "box.error")) == ()


def test_containers_may_be_nested_eight_deep():
    def nested(depth):
        inside = step("s")
        for level in range(depth):
            inside = {"id": f"g{level}", "try": {"catch": [inside]}, "steps": [step(f"b{level}")]}
        return inside

    assert refusals(nested(8)) == ()
    assert {(problem.code, problem.message) for problem in refusals(nested(9))} == {
        ("too_deep", "Containers are nested 9 deep; at most 8 levels are allowed. Flatten them.")
    }


def test_nested_steps_count():
    (problem,) = refusals(guarded(*[step(f"s{n}") for n in range(499)]))

    assert problem.message == "The document has 501 steps; at most 500 are allowed. Split the workflow."


def test_a_step_in_a_container_without_an_id_may_read_anything_around_it():
    nameless = {"steps": [reading("{{ steps.a.output }}")]}

    assert [(problem.code, problem.pointer) for problem in refusals(step("a"), nameless)] == [("required", "/steps/1")]
