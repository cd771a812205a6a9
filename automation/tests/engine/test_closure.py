"""The closure of a graph and the circles in it, against a plain search."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from automation.engine.document.closure import Closure

NAMES = "abcdefgh"
GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=3, unique=True) for name in NAMES}).map(
    lambda graph: {name: [other for other in others if other != name] for name, others in graph.items()}
)


def reached(graph, start):
    found, pending = set(), list(graph[start])
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(graph[name])
    return found


@given(GRAPHS)
def test_the_closure_is_what_a_search_finds(graph):
    closure = Closure(graph)

    assert {name: {other for other in NAMES if closure.reaches(name, other)} for name in NAMES} == {
        name: reached(graph, name) for name in NAMES
    }


@given(GRAPHS)
def test_circles_are_circles_one_for_each_knot(graph):
    circles = list(Closure(graph).circles())
    knots = {frozenset(o for o in NAMES if o in reached(graph, n) and n in reached(graph, o)) for n in NAMES}

    assert all(right in graph[left] for circle in circles for left, right in pairwise(circle))
    assert all(circle[0] == circle[-1] and len(set(circle)) == len(circle) - 1 for circle in circles)
    assert {next(knot for knot in knots if circle[0] in knot) for circle in circles} == {k for k in knots if k}


def test_a_graph_without_circles_has_none():
    assert list(Closure({"a": ["b"], "b": ["c"], "c": []}).circles()) == []
