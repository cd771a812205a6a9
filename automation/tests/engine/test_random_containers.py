"""Random workflows of containers within containers: whatever the order and wherever a crash comes, the same results."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.plan import build_plan
from automation.engine.simulate import Setup, run_flow
from automation.engine.status import RunStatus
from automation.tests.engine.reference import PROBE

LEAVES = ("succeed", "succeed", "flaky", "sleep", "fail")
CONTAINERS = ("group", "for_each", "single", "while", "try")


class Crash(Exception):
    pass


class Maker:
    """Draws bodies within bodies; ids are unique in the document."""

    def __init__(self, draw):
        self._draw = draw
        self._numbers = count()

    def body(self, depth, *, most):
        steps = []
        for _ in range(self._draw(st.integers(1, most))):
            step = self.container(depth) if depth < 3 and self._draw(st.booleans()) else self.leaf()
            if steps:
                ids = st.sampled_from([one["id"] for one in steps])
                step["needs"] = self._draw(st.lists(ids, unique=True, max_size=2))
            if self._draw(st.booleans()):
                step["on_error"] = "continue"
            steps.append(step)
        return steps

    def leaf(self):
        does = self._draw(st.sampled_from(LEAVES))
        return {"id": f"s{next(self._numbers)}", "uses": "probe", "with": {"does": does, "adds": [1]}}

    def container(self, depth):
        kind, name = self._draw(st.sampled_from(CONTAINERS)), f"c{next(self._numbers)}"
        if kind == "single":
            return {**self.leaf(), "id": name, **self.loop()}
        inner = self.body(depth + 1, most=2)
        held = {"id": name, "steps": inner, "output": f"{{{{ steps.{inner[0]['id']}.output }}}}"}
        if kind == "for_each":
            held |= self.loop()
        elif kind == "while":
            every = self._draw(st.sampled_from(["1ms", "9s"]))
            held["while"] = {"when": "{{ index < 2 }}", "max_iterations": 3, "every": every}
        elif kind == "try":
            held["try"] = {"catch": self.body(depth + 1, most=1), "finally": self.body(depth + 1, most=1)}
        return held

    def loop(self):
        items = list(range(self._draw(st.integers(0, 5))))
        on_error = self._draw(st.sampled_from(["fail", "continue"]))
        spread = {"concurrency": self._draw(st.integers(1, 3)), "batch": self._draw(st.integers(1, 3))}
        return {"for_each": {"items": items, "on_item_error": on_error, **spread}}


@st.composite
def documents(draw):
    return {"schema": 1, "steps": Maker(draw).body(0, most=3)}


def comes_to(document, seed, *, results=(), on_rows=lambda _rows: None):
    random = Random(seed)

    def choose(ready):
        return random.randrange(len(ready))

    plan = build_plan(document, {"probe": PROBE})
    return run_flow(plan, Setup(choose=choose, results=tuple(results), on_rows=on_rows))


def meaning(simulated, document):
    """What the outermost steps come to. Which failure ended a container, and what it cut short, depends on the order."""
    if simulated.finished.status is not RunStatus.SUCCEEDED:
        return simulated.finished.status
    rows = (simulated.steps[step["id"]] for step in document["steps"])
    return {row.path: (row.status, row.port, strip(row.output)) for row in rows}


def strip(value):
    """Outputs without the words of errors, which name the step that failed first."""
    if isinstance(value, dict):
        return {key: (None if key == "error" else strip(inner)) for key, inner in value.items()}
    return [strip(inner) for inner in value] if isinstance(value, list) else value


@given(documents(), st.integers(), st.integers())
@settings(max_examples=60, deadline=None)
def test_every_order_comes_to_the_same_status(document, one, other):
    assert comes_to(document, one).finished.status == comes_to(document, other).finished.status


@given(documents(), st.integers(), st.lists(st.integers(0, 25), min_size=1, max_size=3))
@settings(max_examples=120, deadline=None)
def test_crashes_at_any_checkpoint_change_nothing(document, seed, crashes):
    expected = comes_to(document, seed)
    known = {}
    for survivors in crashes:
        left = survivors

        def crash(rows):
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            known.update({row.path: row for row in rows})

        with suppress(Crash):
            comes_to(document, seed, results=known.values(), on_rows=crash)

    result = comes_to(document, seed, results=known.values())

    assert meaning(result, document) == meaning(expected, document)
    assert all(row.status.is_final for row in result.steps.values())
