"""Which results a retry takes over: a table."""

from __future__ import annotations

from typing import Any

import pytest

from automation.engine.document import parse_document
from automation.engine.keep import failed_paths, kept_paths
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

S, F, K, U, C = (
    StepStatus.SUCCEEDED,
    StepStatus.FAILED,
    StepStatus.SKIPPED,
    StepStatus.UNKNOWN,
    StepStatus.CANCELLED,
)


def step(id_: str, *needs: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "uses": "log", "needs": list(needs), **fields}


def kept(steps: list[dict], statuses: dict[str, StepStatus], *, now: list[dict] | None = None, **more: Any) -> set[str]:
    results = {path: StepResult(path, "log", status) for path, status in statuses.items()}
    old, new = ({"schema": 1, "steps": list_} for list_ in (steps, now or steps))
    return set(kept_paths(parse_document(old), parse_document(new), results, **more))


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


def test_what_failed_is_found():
    results = {path: StepResult(path, "log", status) for path, status in zip("abcde", (S, F, K, U, C), strict=True)}

    assert failed_paths(results) == {"b", "d", "e"}
