"""Who may send: networks, pages of other origins, and how many deliveries a minute."""

import pytest
from django.test import Client

from automation.models import Run
from brainops.core.ratelimit.limiter import limiter
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services import pace
from webhooks.tests import make
from webhooks.tests.make import Sender

pytestmark = pytest.mark.django_db

PAGE = "https://shop.example"


def open_to(**config):
    return make.endpoint(scheme="none", config=config)


def send_from(endpoint, address, **headers):
    sender = Sender(endpoint, client=Client(REMOTE_ADDR=address, raise_request_exception=False))
    return sender.post(b"{}", headers)


@pytest.mark.parametrize(
    ("config", "address", "status"),
    [
        ({"allow_ips": ["203.0.113.0/24"]}, "203.0.113.9", 202),
        ({"allow_ips": ["203.0.113.0/24"]}, "203.0.114.9", 403),
        ({"allow_ips": ["203.0.113.7"]}, "203.0.113.7", 202),
        ({"allow_ips": ["2001:db8::/32"]}, "2001:db8:1::1", 202),
        ({"allow_ips": ["2001:db8::/32"]}, "203.0.113.9", 403),
        ({"allow_ips": ["203.0.113.0/24"]}, "::ffff:203.0.113.9", 202),  # one spelling of an address for all
        ({"deny_ips": ["203.0.113.0/24"]}, "::ffff:203.0.113.9", 403),
        ({"deny_ips": ["203.0.113.0/24"]}, "198.51.100.1", 202),
        ({"allow_ips": ["0.0.0.0/0"], "deny_ips": ["203.0.113.9"]}, "203.0.113.9", 403),
        ({"allow_ips": ["0.0.0.0/0"]}, "", 403),  # a server that tells no address
    ],
)
def test_networks_decide_who_may_send(config, address, status):
    response = send_from(open_to(**config), address)

    assert (response.status_code, Run.objects.count()) == (status, int(status == 202))


def test_a_refused_network_is_stored_before_anything_is_verified():
    response = send_from(make.endpoint(config={"allow_ips": ["203.0.113.0/24"]}), "198.51.100.1")

    event = WebhookEvent.objects.get()
    assert (response.status_code, response.json()["code"]) == (403, "address_not_allowed")
    assert (event.verdict, event.reason, event.remote_addr) == (
        EventVerdict.REJECTED,
        "address_not_allowed",
        "198.51.100.1",
    )


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(settings):
    endpoint = open_to(allow_ips=["203.0.113.0/24"])
    claimed = {"X-Forwarded-For": "203.0.113.9"}

    alone = send_from(endpoint, "198.51.100.1", **claimed).status_code
    settings.BRAINOPS_TRUSTED_PROXIES = 1
    behind_proxy = send_from(endpoint, "198.51.100.1", **claimed).status_code
    spoofed = send_from(endpoint, "198.51.100.1", **{"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}).status_code

    assert (alone, behind_proxy, spoofed) == (403, 202, 403)


class TestOrigins:
    def preflight(self, endpoint, origin=PAGE, **headers):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
        return Sender(endpoint).post(b"", asked, method="OPTIONS")

    def test_no_origin_is_answered_unless_one_was_chosen(self):
        answers = [self.preflight(open_to()), self.preflight(open_to(cors_origins=["https://other.example"]))]

        assert [answer.status_code for answer in answers] == [405, 405]
        assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)

    def test_a_chosen_origin_is_told_what_it_may_do_and_nothing_is_stored(self):
        endpoint = open_to(cors_origins=[PAGE], methods=["POST", "PUT"])

        answer = self.preflight(endpoint, **{"Access-Control-Request-Headers": "content-type, x-a, bad name, "})

        told = {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}
        assert (answer.status_code, answer.headers["Vary"], WebhookEvent.objects.count()) == (204, "Origin", 0)
        assert told == {
            "Access-Control-Allow-Origin": PAGE,
            "Access-Control-Allow-Methods": "POST, PUT",
            "Access-Control-Allow-Headers": "content-type, x-a",
            "Access-Control-Max-Age": "600",
        }

    def test_a_page_of_a_chosen_origin_may_read_the_answer_and_others_may_not_send(self):
        sender = Sender(open_to(cors_origins=[PAGE]))

        own, foreign, none = (sender.post(b"{}", headers) for headers in ({"Origin": PAGE}, {"Origin": "null"}, {}))

        assert (own.status_code, own.headers["Access-Control-Allow-Origin"]) == (202, PAGE)
        assert "Access-Control-Allow-Credentials" not in own.headers
        assert (foreign.status_code, foreign.json()["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in foreign.headers
        assert (none.status_code, Run.objects.count()) == (202, 2)

    def test_any_origin_is_a_choice_of_its_own(self):
        answer = Sender(open_to(cors_origins=["*"])).post(b"{}", {"Origin": "https://anybody.example"})

        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (202, "*")

    def test_an_origin_is_no_header_of_ours_where_none_was_chosen(self):
        answer = Sender(open_to()).post(b"{}", {"Origin": "https://anybody.example"})

        assert (answer.status_code, "Access-Control-Allow-Origin" in answer.headers) == (202, False)


def test_an_endpoint_s_own_rate_is_refused_with_its_number_and_may_come_again(monkeypatch):
    monkeypatch.setattr(pace, "MINUTE", 3.6e6)  # nothing comes back while the test runs
    sender, other = Sender(make.endpoint(config={"rate_per_minute": 4})), Sender(make.endpoint())

    answers = [sender.send({}, delivery=f"d{number}") for number in range(3)]

    refused = answers[2].json()
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert (refused["code"], refused["limit"]) == ("rate_limited", {"name": "webhook-own-rate", "per_minute": 4})
    assert int(answers[2].headers["Retry-After"]) > 0
    assert WebhookEvent.objects.get(verdict=EventVerdict.REJECTED).reason == "rate_limited"
    assert other.send({}).status_code == 202

    limiter.start_anew()  # later
    assert sender.send({}, delivery="d2").status_code == 202


def test_strangers_use_up_nothing_of_an_endpoint_s_own_rate():
    sender = Sender(make.endpoint(config={"rate_per_minute": 4}))

    forged = {sender.post(b"{}", {}).status_code for _ in range(6)}

    assert (forged, sender.send({}).status_code) == ({401}, 202)
