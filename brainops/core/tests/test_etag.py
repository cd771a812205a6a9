"""If-Match: no edit is lost without somebody saying so."""

import pytest
from django.test import RequestFactory

from brainops.core.api.etag import check_if_match, entity_tag
from brainops.core.errors import InvalidInput, VersionMismatch


def request(header: str | None):
    return RequestFactory().put("/", headers={"If-Match": header} if header is not None else {})


@pytest.mark.parametrize("header", [None, "*", ' "1.4.2" ', '"1.4.1", "1.4.2"', 'W/"x", "1.4.2"'])
def test_the_present_version_or_none_at_all_lets_the_change_through(header):
    check_if_match(request(header), "1.4.2")


@pytest.mark.parametrize("header", ['"1.4.1"', 'W/"1.4.2"', '"1.4.20"', '""'])
def test_another_version_is_refused_with_both(header):
    with pytest.raises(VersionMismatch) as refusal:
        check_if_match(request(header), "1.4.2", details={"present": {"version": "1.4.2"}})

    assert refusal.value.headers["ETag"] == entity_tag("1.4.2") == '"1.4.2"'
    assert refusal.value.details == {"present": {"version": "1.4.2"}}


def test_the_sentence_tells_what_to_do():
    with pytest.raises(VersionMismatch) as refusal:
        check_if_match(request('"1.4.1"'), "1.4.2")

    assert refusal.value.message == (
        "If-Match names 1.4.1, but the present version is 1.4.2. Read it again, then repeat your change on it."
    )


@pytest.mark.parametrize("header", ["1.4.2", '"1.4.2', "", ",", '"a" "b"'])
def test_a_header_of_another_form_is_a_bad_request(header):
    with pytest.raises(InvalidInput) as refusal:
        check_if_match(request(header), "1.4.2")

    assert refusal.value.problems[0].parameter == "If-Match"
