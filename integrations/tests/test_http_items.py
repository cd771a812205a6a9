"""`http.items`: what it asks for, what it finds, and where it goes on; without a network."""

import json
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from integrations.connectors.http.items import POLL
from integrations.connectors.http.pages import MISSING, at_pointer, key_of, next_page, rank
from integrations.contract import Failure, Found, PollCall, Shown
from integrations.messages import Response
from integrations.registry import all_polls

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URL = "https://shop.example/orders"
ORDERS = [{"id": 1, "at": "2026-11-01"}, {"id": 2, "at": "2026-11-03"}, {"id": 3, "at": "2026-11-02"}]


def config(**more):
    given = {"url": URL, "key": "/id", **more}
    jsonschema_rs.validate(POLL.config_schema, given)
    defaults = {
        name: field["default"] for name, field in POLL.config_schema["properties"].items() if "default" in field
    }
    return {**defaults, **given}


def answer(body, status=200, url=URL, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, NOON, named, json.dumps(body).encode(), url)


def look(call, *answers):
    """The outcome of a look that gets these answers, and the requests it asked for."""
    steps, requests = POLL.poll(call), []
    try:
        request = next(steps)
        for one in answers:
            requests.append(request)
            request = steps.send(one)
    except StopIteration as end:
        return end.value, requests
    raise AssertionError(f"It asks for more: {request}")


def keys(found):
    return [one.key for one in found.items]


def test_the_registry_finds_it():
    assert all_polls()["http.items"] is POLL
    for example in POLL.examples:
        jsonschema_rs.validate(POLL.config_schema, example.config)


def test_a_list_is_found_where_the_pointer_says():
    found, (request,) = look(PollCall(config(items="/data/orders")), answer({"data": {"orders": ORDERS}}))

    assert found == Found([Shown(str(one["id"]), one) for one in ORDERS], {"since": None, "validators": {}})
    assert (request.method, request.url) == ("GET", URL)


def test_a_newest_first_list_is_turned_round():
    found, _ = look(PollCall(config(newest_first=True)), answer(ORDERS))

    assert keys(found) == ["3", "2", "1"]


def test_items_without_a_key_are_known_by_their_content():
    given = {name: value for name, value in config().items() if name != "key"}

    found, _ = look(PollCall(given), answer([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}]))

    first, same, other = keys(found)
    assert first == same != other


def test_the_greatest_value_of_the_cursors_field_is_sent_back():
    cursor = {"field": "/at", "param": "since"}
    first, _ = look(PollCall(config(cursor=cursor)), answer(ORDERS))
    assert (keys(first), first.cursor["since"]) == (["1", "3", "2"], "2026-11-03")

    second, (request,) = look(PollCall(config(cursor=cursor, params={"a": 1}), first.cursor), answer([]))

    assert request.params == {"a": 1, "since": "2026-11-03"}
    assert (second.items, second.cursor["since"]) == ([], "2026-11-03")


def test_the_next_look_is_a_conditional_one_and_304_changes_nothing():
    first, _ = look(PollCall(config()), answer(ORDERS, etag='"v1"', last_modified="Sun, 22 Nov 2026 12:00:00 GMT"))

    second, (request,) = look(PollCall(config(), first.cursor), answer("", 304))

    assert request.headers == {"If-None-Match": '"v1"', "If-Modified-Since": "Sun, 22 Nov 2026 12:00:00 GMT"}
    assert second == Found((), first.cursor)


def test_pages_are_followed_by_link_and_by_pointer():
    link = f'<{URL}?page=0>; rel="prev", <{URL}?page=2>; rel="next"'
    found, requests = look(PollCall(config()), answer(ORDERS[:1], link=link), answer(ORDERS[1:]))
    assert (keys(found), [one.url for one in requests]) == (["1", "2", "3"], [URL, f"{URL}?page=2"])

    pages = ({"items": ORDERS[:1], "next": "?page=2"}, {"items": ORDERS[1:], "next": None})
    found, requests = look(PollCall(config(items="/items", next="/next")), *map(answer, pages))
    assert (keys(found), [one.url for one in requests]) == (["1", "2", "3"], [URL, f"{URL}?page=2"])


def test_a_list_longer_than_a_look_goes_on_with_the_next_one():
    cursor = {"field": "/at", "param": "since"}
    given = config(items="/items", next="/next", max_pages=1, cursor=cursor)
    first, _ = look(PollCall(given), answer({"items": ORDERS[:2], "next": "?page=2"}, etag='"v1"'))
    assert (keys(first), first.has_more) == (["1", "2"], True)

    second, (request,) = look(PollCall(given, first.cursor), answer({"items": ORDERS[2:]}, etag='"other"'))

    assert (request.url, request.headers, request.params) == (f"{URL}?page=2", {}, {})
    assert (keys(second), second.has_more) == (["3"], False)
    assert second.cursor == {"since": "2026-11-03", "validators": {"If-None-Match": '"v1"'}}


@pytest.mark.parametrize(
    ("given", "body", "said"),
    [
        ({"items": "/orders"}, {"things": []}, "it has nothing at '/orders' (items)."),
        ({}, {"things": []}, "the whole answer is no list (items)."),
        ({}, [{"name": "x"}], "an item has nothing at '/id' (key)."),
        ({"next": "/0/next"}, [{"id": 1, "next": "https://other.example/"}], "its next page is at another service"),
    ],
)
def test_an_answer_that_is_not_the_list_is_a_failure_that_says_why(given, body, said):
    failure, _ = look(PollCall(config(**given)), answer(body))

    assert isinstance(failure, Failure)
    assert (failure.type, said in failure.message) == ("unfit_answer", True)


def test_a_refusal_says_when_to_come_back():
    failure, _ = look(PollCall(config()), answer({"error": "slow down"}, 429, retry_after="90"))

    assert (failure.type, failure.error_class, failure.retry_after_seconds) == ("http_status", "rate_limit", 90.0)


def test_pointers_lead_into_objects_and_lists():
    value = {"a/b": [{"~": 1}], "": 2}

    assert [at_pointer(value, pointer) for pointer in ("/a~1b/0/~0", "/", "", "/c", "/a~1b/7", "/a~1b/x")] == [
        1,
        2,
        value,
        MISSING,
        MISSING,
        MISSING,
    ]
    assert [key_of({"id": one}, "/id") for one in ("a", 7, None, [1])] == ["a", "7", None, "[1]"]


def test_ranks_go_by_size_by_the_clock_and_by_letters():
    assert max(["9", "10", "2"], key=rank) == "10"
    assert max(["2026-11-22T10:00:00+02:00", "2026-11-22T09:00:00Z"], key=rank) == "2026-11-22T09:00:00Z"
    assert max(["b", "a"], key=rank) == "b"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ('<https://a.example/?p=2>; rel="next"', "https://a.example/?p=2"),
        ("</p/2>; title=x; rel=next", "https://a.example/p/2"),
        ('<?p=2>; rel="last next"', "https://a.example/list?p=2"),
        ('<?p=2>; rel="nextish"', None),
        ('<?p=2>; rel="prev"', None),
        ("nonsense", None),
    ],
)
def test_the_next_page_is_read_from_the_link_header(link, target):
    assert next_page(answer([], link=link), [], {}, "https://a.example/list") == target
