"""CloudEvents 1.0: what is an event, what is none, and why."""

import pytest

from automation.engine.binary_events import attributes_of, decoded
from automation.engine.cloud_events import CloudEvent, hops_said, is_time, read_structured

LEAST = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"}


def problems_of(**said):
    event, found = read_structured({**LEAST, **said})
    assert event is None
    return [(problem.pointer, problem.code) for problem in found]


def read(**said):
    event, found = read_structured({**LEAST, **said})
    assert found == []
    return event


def test_an_event_needs_four_attributes():
    event, found = read_structured({})

    assert event is None
    assert [(problem.pointer, problem.code) for problem in found] == [
        ("/specversion", "unknown_version"),
        ("/id", "required"),
        ("/source", "required"),
        ("/type", "required"),
    ]


def test_what_was_read_is_written_as_it_was_said():
    said = {
        **LEAST,
        "subject": "4711",
        "time": "2018-04-05T17:31:00.123456789+02:00",
        "datacontenttype": "application/json",
        "dataschema": "https://shop.example.com/schemas/order",
        "comexampleextension": "value",
        "sampledrate": 30,
        "isurgent": True,
        "data": {"total": 1},
    }

    assert read(**said).structured == said


def test_bytes_stay_base64():
    event = read(data_base64="AQID", datacontenttype="image/png")

    assert (event.data, event.is_binary, event.structured["data_base64"]) == ("AQID", True, "AQID")


def test_null_counts_as_absent():
    assert read(subject=None, data=None, tier=None) == CloudEvent(type="order.paid", source="/shop", id="1")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"specversion": "0.3"}, ("/specversion", "unknown_version")),
        ({"id": ""}, ("/id", "wrong_type")),
        ({"id": 7}, ("/id", "wrong_type")),
        ({"id": "a\x07"}, ("/id", "unfit_character")),
        ({"id": "a\ufdd0"}, ("/id", "unfit_character")),
        ({"source": "not a uri"}, ("/source", "wrong_format")),
        ({"source": "/with%zz"}, ("/source", "wrong_format")),
        ({"type": "x" * 201}, ("/type", "too_long")),
        ({"subject": ""}, ("/subject", "wrong_type")),
        ({"time": "yesterday"}, ("/time", "wrong_format")),
        ({"datacontenttype": "json"}, ("/datacontenttype", "wrong_format")),
        ({"dataschema": "/relative"}, ("/dataschema", "wrong_format")),
        ({"Tier": "x"}, ("/Tier", "wrong_name")),
        ({"my-tier": "x"}, ("/my-tier", "wrong_name")),
        ({"tier": 1.5}, ("/tier", "wrong_type")),
        ({"tier": {}}, ("/tier", "wrong_type")),
        ({"tier": 1 << 31}, ("/tier", "out_of_range")),
        ({"data": 1, "data_base64": "AQID"}, ("/data_base64", "conflict")),
        ({"data_base64": "no base64"}, ("/data_base64", "wrong_format")),
    ],
)
def test_what_breaks_a_rule_is_named(said, problem):
    assert problems_of(**said) == [problem]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1985-04-12T23:20:50.52Z", True),
        ("1996-12-19T16:39:57-08:00", True),
        ("1990-12-31T23:59:60Z", True),  # a leap second
        ("2024-02-29t00:00:00z", True),
        ("2023-02-29T00:00:00Z", False),  # not a day
        ("2023-04-31T00:00:00Z", False),
        ("2023-04-30 00:00:00Z", False),
        ("2023-04-30T24:00:00Z", False),
        ("2023-04-30T00:00:00", False),  # no offset
    ],
)
def test_a_time_is_rfc_3339_on_a_day_that_there_is(text, is_one):
    assert is_time(text) is is_one


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # the example of the specification
        ('"quoted \\"text\\""', 'quoted "text"'),
        ("100%2525", "100%25"),  # decoded once
    ],
)
def test_a_header_is_unquoted_and_decoded_once(value, text):
    assert decoded(value) == text


def test_headers_are_attributes_and_problems_name_headers():
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "x", "ce-time": "no", "ce-tier": "%ff", "accept": "*"}

    said, found = attributes_of(headers, content_type="text/plain")

    assert said == {"specversion": "1.0", "id": "1", "type": "x", "time": "no", "datacontenttype": "text/plain"}
    assert [problem.pointer for problem in found] == ["ce-tier", "ce-source", "ce-time"]


@pytest.mark.parametrize(("said", "hops"), [(3, 3), ("3", 3), ("x", 0), (-1, 0), (True, 1), (99999, 1000)])
def test_hops_may_come_from_elsewhere(said, hops):
    assert hops_said(CloudEvent("x", "/", extensions={"brainopshops": said})) == hops
