"""The layer around every view: ids, slashes, headers, who the client is, statistics."""

import pytest
from django.test import RequestFactory

from brainops.core import metrics
from brainops.core.metrics import Counter, Histogram, Sample
from brainops.core.registry import Registry
from brainops.core.web.clients import client_ip, network_of

HEALTH = "/api/v1/automation/health"


@pytest.mark.django_db
@pytest.mark.parametrize("address", [HEALTH, f"{HEALTH}/"])
def test_both_slash_forms_are_served_without_a_redirect(client, address):
    response = client.get(address)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("address", [f"{HEALTH}//", "/api/v1/automation", "/api/v1/automation/"])
def test_no_other_form_is_served(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space 1", "new\nline-123", "<script>"])
def test_a_request_id_that_could_do_harm_is_replaced(client, given):
    made = client.get(HEALTH, headers={"X-Request-Id": given}).headers["X-Request-Id"]

    assert made != given
    assert len(made) == 24


@pytest.mark.django_db
def test_every_api_answer_forbids_caching_sniffing_framing_and_running(client):
    headers = client.get(HEALTH).headers

    wanted = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Content-Length": "15",
    }
    assert {name: headers[name] for name in wanted} == wanted
    assert "Set-Cookie" not in headers


@pytest.mark.django_db
def test_a_page_has_a_content_policy_of_its_own(client):
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "", "10.0.0.9"),
        (0, "6.6.6.6", "10.0.0.9"),  # nobody in front: the header is the client's own invention
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),  # the client invented the left one
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.9"),  # shorter than the chain: it did not come through it
        (1, "not an address", "10.0.0.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_client_is_whom_our_own_proxies_saw(settings, proxies, forwarded, client):
    settings.BRAINOPS_TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded})

    assert client_ip(request) == client


@pytest.mark.parametrize(
    ("ip", "network"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", "unknown")],
)
def test_one_subscriber_counts_as_one_network(ip, network):
    assert network_of(ip) == network


@pytest.fixture
def own_metrics(monkeypatch):
    monkeypatch.setattr(metrics, "_metrics", [])
    monkeypatch.setattr(metrics, "sample_providers", Registry("metrics"))


def test_counters_and_histograms_are_written_in_prometheus_form(own_metrics):
    counter = Counter("bells", "Bells rung.", labels=("queue",))
    histogram = Histogram("wait_seconds", "Waiting.")
    counter.add(labels=('a"b\\',))
    counter.add(2, labels=('a"b\\',))
    histogram.observe(0.003)
    histogram.observe(20)

    lines = metrics.render(metrics.take_all()).splitlines()

    assert lines[:3] == ["# HELP bells Bells rung.", "# TYPE bells counter", 'bells{queue="a\\"b\\\\"} 3']
    assert 'wait_seconds_bucket{le="0.002"} 0' in lines
    assert 'wait_seconds_bucket{le="0.005"} 1' in lines
    assert 'wait_seconds_bucket{le="10"} 1' in lines
    assert 'wait_seconds_bucket{le="+Inf"} 2' in lines
    assert lines[-2:] == ["wait_seconds_sum 20.003000", "wait_seconds_count 2"]
    assert metrics.take_all() == {}


def test_providers_add_what_only_the_database_knows(own_metrics, monkeypatch):
    monkeypatch.setattr(metrics, "sample_providers", metrics.Registry("metrics"))
    metrics.sample_providers.register(
        "runs", lambda: [Sample("runs", "Runs.", 3, {"status": "queued"}), Sample("runs", "Runs.", 1, {})]
    )

    assert metrics.render({}) == ("# HELP runs Runs.\n# TYPE runs gauge\n" + 'runs{status="queued"} 3\nruns 1\n')


def test_a_label_that_runs_away_does_not_fill_the_memory(own_metrics):
    counter = Counter("c", "C.", labels=("path",))

    for number in range(3000):
        counter.add(labels=(str(number),))

    assert len(counter.take()) == 2000


def test_the_metrics_page_does_not_exist_without_a_token(client, settings):
    settings.BRAINOPS_METRICS_TOKEN = ""

    assert client.get("/internal/metrics").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer tökén", "Basic token-of-the-scraper"])
def test_the_metrics_page_wants_its_token(client, settings, header):
    settings.BRAINOPS_METRICS_TOKEN = "token-of-the-scraper"

    assert client.get("/internal/metrics", headers={"Authorization": header}).status_code == 401


@pytest.mark.django_db
def test_the_metrics_page_counts_requests_by_route(client, settings):
    settings.BRAINOPS_METRICS_TOKEN = "token-of-the-scraper"
    client.get(HEALTH)

    page = client.get("/internal/metrics", headers={"Authorization": "Bearer token-of-the-scraper"})

    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (
        'brainops_http_request_duration_seconds_count{route="api/v1/automation/health",method="GET",status="200"}'
        in page.content.decode()
    )
