"""Which results a retry takes over: a table."""

from __future__ import annotations

from typing import Any

import pytest

from automation.engine.document import parse_document
from automation.engine.keep import KeptPaths, Restart, failed_steps, kept_paths
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

S, F, K, U, C, N = (
    StepStatus.SUCCEEDED,
    StepStatus.FAILED,
    StepStatus.SKIPPED,
    StepStatus.UNKNOWN,
    StepStatus.CANCELLED,
    StepStatus.OPEN,
)


def step(id_: str, *needs: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "uses": "log", "needs": list(needs), **fields}


def rows(statuses: dict[str, StepStatus]) -> dict[str, StepResult]:
    return {path: StepResult(path, "log", status) for path, status in statuses.items()}


def keep(steps: list[dict], statuses: dict[str, StepStatus], now: list[dict] | None = None, **more: Any) -> KeptPaths:
    old, new = ({"schema": 1, "steps": list_} for list_ in (steps, now or steps))
    return kept_paths(parse_document(old), parse_document(new), rows(statuses), **more)


def kept(steps: list[dict], statuses: dict[str, StepStatus], **more: Any) -> set[str]:
    result = keep(steps, statuses, **more)
    assert not result.reopened
    return set(result.final)


def group(*steps: dict, id_: str = "box", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "steps": list(steps), **fields}


def loop(*steps: dict, id_: str = "loop", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "for_each": {"items": "{{ inputs.x }}"}, "steps": list(steps), **fields}


def guarded(steps: list[dict], catch: list[dict], end: list[dict] | None = None, *, id_: str = "safe", **fields: Any):
    handlers = {"catch": catch, **({"finally": end} if end else {})}
    return {"id": id_, "try": handlers, "steps": steps, **fields}


def keeps(final: list[str], reopened: Any = (), items: Any = ()) -> KeptPaths:
    return KeptPaths(frozenset(final), frozenset(reopened), frozenset(items))


CHAIN = [step("a"), step("b", "a"), step("c", "b")]
FORK = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c", join="any"), step("e", "d")]


@pytest.mark.parametrize(
    ("steps", "statuses", "expected"),
    [
        (CHAIN, {"a": S, "b": F}, {"a"}),
        (CHAIN, {"a": S, "b": U}, {"a"}),  # nobody knows whether it happened: it is done again
        (CHAIN, {"a": S, "b": C}, {"a"}),
        (CHAIN, {"a": S, "b": F, "c": K}, {"a"}),  # c was skipped because b failed
        (CHAIN, {}, set()),
        # c was skipped, d took the other branch: both stay, only the failed e is done again
        (FORK, {"a": S, "b": S, "c": K, "d": S, "e": F}, {"a", "b", "c", "d"}),
        # c never ended, so d cannot have used it
        (FORK, {"a": S, "b": S, "d": S, "e": F}, {"a", "b", "d"}),
    ],
)
def test_from_what_failed(steps: list[dict], statuses: dict[str, StepStatus], expected: set[str]):
    assert kept(steps, statuses) == expected


@pytest.mark.parametrize(
    ("restart", "expected"),
    [
        ("a", set()),
        ("b", {"a", "c"}),  # d and e may have used b
        ("d", {"a", "b", "c"}),
        ("e", {"a", "b", "c", "d"}),
    ],
)
def test_from_one_step(restart: str, expected: set[str]):
    assert kept(FORK, dict.fromkeys("abcde", S), restart=restart) == expected


def test_a_failure_that_was_let_pass_is_repeated_together_with_what_used_it():
    steps = [step("a", on_error="continue"), step("b", "a"), step("c"), step("d", "c")]
    statuses = {"a": F, "b": S, "c": S, "d": F}

    assert kept(steps, statuses) == {"c"}
    assert kept(steps, statuses, restart="d") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([step("a", name="Better words"), *CHAIN[1:]], {"a", "b"}),
        ([step("a", **{"with": {"message": "x"}}), *CHAIN[1:]], set()),
        ([CHAIN[0], step("b", "a", **{"with": {"message": "x"}}), CHAIN[2]], {"a"}),
        ([*CHAIN[:2], step("x"), step("c", "b", "x")], {"a", "b"}),  # a new step in between
        ([step("a"), step("c", "a")], {"a"}),  # b is gone
    ],
)
def test_with_another_version_only_what_is_the_same_stays(changed: list[dict], expected: set[str]):
    assert kept(CHAIN, {"a": S, "b": S, "c": F}, now=changed) == expected


@pytest.mark.parametrize(
    ("steps", "statuses", "expected"),
    [
        ([step(name) for name in "abcde"], dict(zip("abcde", (S, F, K, U, C), strict=True)), {"b", "d", "e"}),
        # a loop lets failed items pass, a try deals with failures, a group does neither
        ([loop(step("x"))], {"loop": S, "loop[0-99]": S, "loop[100-150]": F}, {"loop"}),
        ([loop(step("x"))], {"loop": S, "loop[0-99]": S}, set()),
        ([loop(loop(step("x"), id_="deep"))], {"loop": S, "loop[0-9]": S, "loop[3].deep[0-9]": F}, set()),
        ([guarded([step("x")], [step("y")])], {"safe": S, "x": F, "y": S}, set()),
        ([group(step("x", on_error="continue"))], {"box": S, "x": F}, {"box"}),
        ([group(group(loop(step("x")), id_="deep"))], {"box": S, "deep": S, "loop": S, "loop[0-9]": F}, {"box"}),
    ],
)
def test_what_failed_is_found(steps: list[dict], statuses: dict[str, StepStatus], expected: set[str]):
    assert failed_steps(parse_document({"schema": 1, "steps": steps}), rows(statuses)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loop", Restart("loop")),
        ("loop[17]", Restart("loop", 17)),
        ("loop[17].send", Restart("loop", 17)),
        ("outer[2].loop[17].send", Restart("outer", 2)),
        ("loop[0-99]", Restart("loop[0-99]")),  # a batch is nothing to start from
        ("loop[x]", Restart("loop[x]")),
    ],
)
def test_where_a_retry_begins_is_read(text: str, expected: Restart):
    assert Restart.read(text) == expected


BOX = [step("a"), group(step("b"), step("c", "b"), needs=["a"]), step("d", "box")]
SAFE = [guarded([step("b"), step("c", "b")], [step("e")], [step("f")]), step("d", "safe")]


@pytest.mark.parametrize(
    ("steps", "statuses", "restart", "expected"),
    [
        # a container that succeeded stays with everything in it
        (BOX, {"a": S, "box": S, "b": S, "c": S, "d": F}, None, {"a", "box", "b", "c"}),
        (SAFE, {"safe": S, "b": S, "c": F, "e": S, "f": S, "d": F}, None, {"safe", "b", "c", "e", "f"}),
        # of one that failed what succeeded stays; handlers never do
        (BOX, {"a": S, "box": F, "b": S, "c": F}, None, {"a", "b"}),
        (BOX, {"a": S, "box": C, "b": S}, None, {"a", "b"}),
        (BOX, {"a": S, "box": N, "b": S, "c": N}, None, {"a", "b"}),  # the run ran out of time
        (SAFE, {"safe": F, "b": S, "c": F, "e": F, "f": S}, None, {"b"}),
        (SAFE, {"safe": F, "b": S, "c": S, "f": F}, None, {"b", "c"}),
        # what a container depends on makes all of it stale
        (BOX, {"a": S, "box": F, "b": S, "c": F}, "a", set()),
        # a step at any depth: it, what depends on it, the containers around it and what depends on those
        (BOX, dict.fromkeys(("a", "box", "b", "c", "d"), S), "c", {"a", "b"}),
        (BOX, dict.fromkeys(("a", "box", "b", "c", "d"), S), "b", {"a"}),
        (BOX, dict.fromkeys(("a", "box", "b", "c", "d"), S), "box", {"a"}),
        (BOX, dict.fromkeys(("a", "box", "b", "c", "d"), S), "d", {"a", "box", "b", "c"}),
        (SAFE, {"safe": S, "b": S, "c": F, "e": S, "f": S, "d": S}, "c", {"b"}),
        (SAFE, {"safe": S, "b": S, "c": F, "e": S, "f": S, "d": S}, "e", {"b"}),  # its failure comes first
    ],
)
def test_groups_and_tries(steps: list[dict], statuses: dict[str, StepStatus], restart: str | None, expected: set[str]):
    assert kept(steps, statuses, restart=restart) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (group(step("b"), step("c", "b", name="Better words"), needs=["a"]), {"a", "b"}),
        (group(step("b"), step("c", "b", timeout="1s"), needs=["a"]), {"a", "b"}),
        (group(step("b", timeout="1s"), step("c", "b"), needs=["a"]), {"a"}),
        (group(step("b"), step("c", "b"), needs=["a"], timeout="1h"), {"a"}),
        (guarded([step("b"), step("c", "b")], [step("e")], id_="box", needs=["a"]), {"a"}),
    ],
)
def test_a_changed_group_keeps_the_steps_that_are_the_same(changed: dict, expected: set[str]):
    statuses = {"a": S, "box": F, "b": S, "c": F}

    assert kept(BOX, statuses, now=[BOX[0], changed, BOX[2]]) == expected


LOOP = [step("a"), loop(step("x"), step("y", "x"), needs=["a"]), step("d", "loop")]
ENDED = {"a": S, "loop": S, "loop[0-99]": S, "loop[100-150]": S, "loop[3].deep[0-9]": S, "d": S}
BROKEN = {"a": S, "loop": F, "loop[0-99]": S, "loop[100-150]": F}


@pytest.mark.parametrize(
    ("statuses", "restart", "expected"),
    [
        (ENDED | {"d": F}, None, KeptPaths(frozenset(ENDED) - {"d"})),
        # only batches with items to do are opened again
        (BROKEN, None, KeptPaths(frozenset({"a", "loop[0-99]"}), frozenset({"loop[100-150]"}))),
        (BROKEN | {"loop": N, "loop[100-150]": N}, None, keeps(["a", "loop[0-99]"], ["loop[100-150]"])),
        # what a loop let pass is done again too, with what used it
        (BROKEN | {"loop": S, "d": S}, None, keeps(["a", "loop[0-99]"], ["loop[100-150]"])),
        (BROKEN | {"loop": S, "d": S}, "d", keeps(["a", "loop", "loop[0-99]", "loop[100-150]"])),
        # the whole loop, by its name or that of a step inside
        (ENDED, "loop", keeps(["a"])),
        (ENDED, "x", keeps(["a"])),
        (ENDED, "a", keeps([])),
        # one item
        (
            ENDED,
            "loop[3]",
            keeps(["a", "loop[100-150]"], ["loop[0-99]"], [("loop[0-99]", 3)]),
        ),
        (
            ENDED,
            "loop[120].x",
            keeps(["a", "loop[0-99]", "loop[3].deep[0-9]"], ["loop[100-150]"], [("loop[100-150]", 120)]),
        ),
        (BROKEN, "loop[3]", keeps(["a"], ["loop[0-99]", "loop[100-150]"], [("loop[0-99]", 3)])),
        (BROKEN, "loop[999]", keeps(["a", "loop[0-99]"], ["loop[100-150]"])),
    ],
)
def test_loops(statuses: dict[str, StepStatus], restart: str | None, expected: KeptPaths):
    assert keep(LOOP, statuses, restart=restart) == expected


def test_a_loop_that_was_changed_begins_anew():
    changed = [LOOP[0], loop(step("x"), step("y", "x", timeout="1s"), needs=["a"]), LOOP[2]]

    assert keep(LOOP, BROKEN, now=changed) == keeps(["a"])


def test_a_loop_in_a_loop_goes_on_where_its_item_does():
    nest = [loop(loop(step("x"), id_="deep"))]
    statuses = {"loop": F, "loop[0-9]": F, "loop[3].deep[0-9]": S, "loop[3].deep[10-19]": F}

    assert keep(nest, statuses) == keeps([], ["loop[0-9]", "loop[3].deep[0-9]", "loop[3].deep[10-19]"])
    assert keep(nest, statuses | {"loop[0-9]": S, "loop[10-19]": F}) == keeps(
        ["loop[0-9]", "loop[3].deep[0-9]", "loop[3].deep[10-19]"], ["loop[10-19]"]
    )
    assert keep(nest, statuses, restart="loop[3].deep[12]") == keeps([], ["loop[0-9]"], [("loop[0-9]", 3)])
    assert keep(nest, statuses, restart="deep") == keeps([])


def test_a_while_begins_anew_and_with_it_the_loops_inside():
    poll = {"id": "poll", "while": {"when": True, "max_iterations": 9}, "steps": [loop(step("x"))]}
    statuses = {"poll": F, "poll[2].loop[0-9]": S}
    inside = [loop(poll | {"steps": [loop(step("x"), id_="deep")]})]

    assert keep([poll], statuses) == keeps([])
    assert keep([poll], statuses | {"poll": S}) == keeps(["poll", "poll[2].loop[0-9]"])
    assert keep(inside, {"loop": F, "loop[0-9]": F, "loop[1].poll[2].deep[0-9]": S}) == keeps([], ["loop[0-9]"])


def test_a_loop_inside_a_group_is_named_by_its_id_alone():
    steps = [group(step("b"), loop(step("x"), needs=["b"]))]
    statuses = {"box": S, "b": S, "loop": S, "loop[0-99]": S, "loop[100-150]": S}

    expected = keeps(["b", "loop[0-99]"], ["loop[100-150]"], [("loop[100-150]", 120)])
    assert keep(steps, statuses, restart="loop[120]") == expected
