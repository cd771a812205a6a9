"""Filters on events: what fits, what does not, and what cannot be a filter."""

import pytest

from automation.engine.cloud_events import CloudEvent
from automation.engine.event_filter import matches, problems, wants

ORDER = {"total": 120, "note": None, "tags": ["new", "vip"], "customer": {"country": "DE", "name": "Åse"}, "lines": []}


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"total": [120]}, True),
        ({"total": [120.0]}, True),
        ({"total": ["120"]}, False),
        ({"total": [True]}, False),
        ({"note": [None]}, True),
        ({"missing": [None]}, False),
        ({"tags": ["vip"]}, True),  # one element is enough
        ({"customer": {"country": ["AT", "DE"]}}, True),
        ({"customer": {"country": ["AT"]}}, False),
        ({"customer": {"country": ["DE"]}, "total": [1]}, False),  # all of them
        ({"customer": {"name": [{"prefix": "Å"}]}}, True),
        ({"customer": {"name": [{"suffix": "x"}]}}, False),
        ({"customer": {"country": [{"equals-ignore-case": "de"}]}}, True),
        ({"customer": {"country": [{"anything-but": "DE"}]}}, False),
        ({"customer": {"country": [{"anything-but": ["AT", "CH"]}]}}, True),
        ({"customer": {"country": [{"anything-but": {"prefix": "A"}}]}}, True),
        ({"missing": [{"anything-but": "x"}]}, False),
        ({"total": [{"numeric": [">", 100, "<=", 120]}]}, True),
        ({"total": [{"numeric": ["<", 100]}, 120]}, True),
        ({"note": [{"numeric": [">", 0]}]}, False),
        ({"missing": [{"exists": False}]}, True),
        ({"note": [{"exists": True}]}, True),
        ({"total": {"inner": [{"exists": False}]}}, True),
        ({"nothing": {"inner": [{"exists": False}]}}, True),
        ({"nothing": {"inner": ["x"]}}, False),
    ],
)
def test_data_fits_where_each_place_holds_what_is_allowed(wanted, fits):
    assert list(problems(wanted)) == []
    assert matches(wanted, ORDER) is fits


@pytest.mark.parametrize("data", [None, 7, "text", [], [ORDER]])
def test_data_that_is_no_object_has_no_places(data):
    assert matches({"total": [120]}, data) is False
    assert matches({"total": [{"exists": False}]}, data) is True


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"a": 1}, "/a"),
        ({"a": []}, "/a"),
        ({"a": [[1]]}, "/a/0"),
        ({"a": [{"regex": "x"}]}, "/a/0"),
        ({"a": [{"prefix": 1}]}, "/a/0"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "/a/0"),
        ({"a": [{"numeric": [">"]}]}, "/a/0"),
        ({"a": [{"numeric": ["~", 1]}]}, "/a/0"),
        ({"a": [{"numeric": [">", True]}]}, "/a/0"),
        ({"a": [{"exists": 1}]}, "/a/0"),
        ({"a": [{"anything-but": [{}]}]}, "/a/0"),
        ({"a": [{"anything-but": {"exists": True}}]}, "/a/0"),
        ({"a": list(range(201))}, ""),
    ],
)
def test_what_cannot_be_a_filter_is_named(wanted, pointer):
    assert [problem.pointer for problem in problems(wanted)] == [pointer]


def test_a_filter_of_a_thousand_names_inside_each_other_is_refused_at_the_eleventh():
    wanted = ["x"]
    for _ in range(1000):
        wanted = {"a": wanted}

    assert [problem.code for problem in problems(wanted)] == ["too_deep"]


def test_the_largest_filter_on_hostile_data_is_judged_without_backtracking():
    wanted = {"a": [{"prefix": "a" * 50 + str(number)} for number in range(200)]}
    data = {"a": ["a" * 60 for _ in range(1000)]}

    assert matches(wanted, data) is False  # 200,000 comparisons


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"type": "order.paid"}, True),
        ({"type": "order.*"}, True),
        ({"type": "*"}, True),
        ({"type": ["invoice.*", "order.paid"]}, True),
        ({"type": "order"}, False),
        ({"type": "*.paid"}, False),  # no pattern: a star stands at the end only
        ({"type": "order.*", "source": "/shop/*"}, True),
        ({"type": "order.*", "source": ["/other"]}, False),
        ({"type": "order.*", "subject": "47*"}, True),
        ({"type": "order.*", "data": {"total": [{"numeric": [">", 5]}]}}, True),
        ({"type": "order.*", "data": {"total": [5]}}, False),
    ],
)
def test_an_event_is_wanted_when_all_that_is_said_fits(config, wanted):
    event = CloudEvent("order.paid", "/shop/berlin", subject="4711", data={"total": 10})

    assert wants(config, event) is wanted
