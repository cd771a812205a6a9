"""GET /webhooks/{id}/events: listing, filters, pages, one event with its body."""

from datetime import timedelta

import pytest

from automation.models import Run
from brainops.core import clock
from webhooks.models import WebhookEvent
from webhooks.tests.make import ROOT, Sender

pytestmark = pytest.mark.django_db


class TestEvents:
    def listed(self, owner, endpoint, query=""):
        return owner.get(f"{ROOT}/{endpoint.id}/events?{query}")

    def test_are_listed_newest_first(self, endpoint, owner):
        for number in range(3):
            Sender(endpoint).send({}, delivery=f"d-{number}")

        listed = self.listed(owner, endpoint).json()["results"]

        assert [event["delivery_id"] for event in listed] == ["d-2", "d-1", "d-0"]

    def test_can_be_paged_through(self, endpoint, owner):
        for number in range(5):
            Sender(endpoint).send({}, delivery=f"d-{number}")

        first = self.listed(owner, endpoint, "limit=3").json()
        second = owner.get(first["next"]).json()

        assert [event["delivery_id"] for event in first["results"] + second["results"]] == [
            "d-4",
            "d-3",
            "d-2",
            "d-1",
            "d-0",
        ]
        assert second["next"] is None

    def test_can_be_filtered(self, endpoint, owner):
        Sender(endpoint).send({}, delivery="d-1", event="push")
        Sender(endpoint).send({}, delivery="d-2", event="ping")
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "d-3"})
        later = (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

        found = {
            query: [event["delivery_id"] for event in self.listed(owner, endpoint, query).json()["results"]]
            for query in (
                "verdict=accepted",
                "verdict=rejected",
                "verdict=acknowledged",
                "event_type=ping",
                "delivery_id=d-3",
                "is_test=true",
                f"since={later}",
                f"until={later}&verdict=rejected",
            )
        }

        assert list(found.values()) == [["d-1"], ["d-3"], ["d-2"], ["d-2"], ["d-3"], [], [], ["d-3"]]

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("verdict=maybe", "verdict"),
            ("since=yesterday", "since"),
            ("is_test=perhaps", "is_test"),
            ("endpoint__workspace=1", "endpoint__workspace"),
            ("limit=0", "limit"),
            ("cursor=bz1hYmM=", "cursor"),
            ("delivery_id=%00", "delivery_id"),
        ],
    )
    def test_a_filter_that_cannot_be_used_is_named(self, endpoint, owner, query, parameter):
        response = self.listed(owner, endpoint, query)

        assert response.status_code == 400
        assert [problem["parameter"] for problem in response.json()["problems"]] == [parameter]

    def test_one_is_shown_with_headers_query_and_body(self, endpoint, owner):
        Sender(endpoint).send({"ref": "main"}, delivery="d-1", query="a=1")
        event = WebhookEvent.objects.get()

        shown = owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}").json()

        assert shown["body"] == {"text": '{"ref":"main"}', "base64": None, "size_bytes": 14, "is_truncated": False}
        assert (shown["query"], shown["headers"]["x-hub-signature-256"]) == ({"a": "1"}, "•••")
        assert (shown["verdict"], shown["run"]) == ("accepted", str(Run.objects.get().uid))

    @pytest.mark.parametrize(
        ("raw", "text", "base64"), [(b"\xff\xfe", None, "//4="), ("ä".encode(), "ä", None), (b"", "", None)]
    )
    def test_a_body_that_is_no_text_is_shown_in_base64(self, endpoint, owner, raw, text, base64):
        Sender(endpoint).post(raw, {})
        event = WebhookEvent.objects.get()

        shown = owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}").json()["body"]

        assert (shown["text"], shown["base64"]) == (text, base64)

    def test_are_searched_by_a_part_of_what_came(self, endpoint, owner):
        Sender(endpoint).send({"order": "A-1", "name": "Zoë"}, delivery="d-1", query="shop=berlin")
        Sender(endpoint).send({"order": "A-2"}, delivery="d-2", event="release")
        Sender(endpoint).post(b"\xff\xfe\x00", {"X-GitHub-Delivery": "d-3", "X-Note": "From the Printer"})

        found = {
            words: [event["delivery_id"] for event in self.listed(owner, endpoint, f"search={words}").json()["results"]]
            for words in ("A-1", "a-1", "Zoë", "BERLIN", "releas", "the%20printer", "%25%25", "d-")
        }

        assert found == {
            "A-1": ["d-1"],
            "a-1": [],  # a body is bytes: as it was written
            "Zoë": ["d-1"],
            "BERLIN": ["d-1"],
            "releas": ["d-2"],
            "the%20printer": ["d-3"],
            "%25%25": [],
            "d-": ["d-3", "d-2", "d-1"],
        }

    def test_can_be_filtered_by_what_became_of_them(self, endpoint, owner):
        Sender(endpoint).send({}, delivery="d-1")
        Sender(endpoint).send({}, delivery="d-1")
        Sender(endpoint).post(b"{}", {"X-GitHub-Delivery": "d-3"})
        run = Run.objects.get().uid

        found = {
            query: [event["delivery_id"] for event in self.listed(owner, endpoint, query).json()["results"]]
            for query in (
                "reason=signature_missing",
                "status=202",
                f"run={run}",
                "has_duplicates=true",
                "is_verified=false",
                "remote_addr=127.0.0.1&verdict=accepted",
            )
        }

        assert list(found.values()) == [["d-3"], ["d-1"], ["d-1"], ["d-1"], ["d-3"], ["d-1"]]
