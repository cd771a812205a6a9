"""Hosts that a request is bound to, at the first address and at every redirect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainops.core.egress import http
from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.bound import check_bounds, is_named, read_pattern
from brainops.core.egress.errors import HostNotAllowed
from brainops.core.egress.tests.servers import ScriptedServer, say_raw
from brainops.core.egress.urls import parse_url


@pytest.mark.parametrize(
    ("url", "pattern", "is_right"),
    [
        ("https://api.example.com/a", "api.example.com", True),
        ("https://API.example.com./a", "api.example.com", True),
        ("http://api.example.com/a", "api.example.com", True),
        ("https://api.example.com:8443/", "api.example.com", False),  # another server of the host
        ("https://api.example.com:8443/", "api.example.com:8443", True),
        ("https://api.example.com/", "*.example.com", True),
        ("https://a.b.example.com/", "*.example.com", True),
        ("https://example.com/", "*.example.com", False),
        ("https://evilexample.com/", "*.example.com", False),
        ("https://api.example.com.evil.test/", "*.example.com", False),
        ("https://api.example.com:444/", "*.example.com", False),
        ("https://api.example.com:444/", "*.example.com:444", True),
        ("http://[2001:db8::1]:8080/", "[2001:db8::1]:8080", True),
    ],
)
def test_a_pattern_names_whole_hosts_with_their_port(url, pattern, is_right):
    assert is_named(parse_url(url).authority, {pattern}) is is_right


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("API.Example.com.", "api.example.com"),
        ("*.Example.com", "*.example.com"),
        ("a.example:08443", "a.example:8443"),
        ("[2001:0db8::0001]:80", "[2001:db8::1]:80"),
        ("[2001:0db8::0001]", "[2001:db8::1]"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)
def test_a_pattern_is_kept_in_the_form_it_is_compared_in(written, read):
    assert read_pattern(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "*",
        "*.com",
        "*.10.0.0.7",
        "https://a.example",
        "a.example/",
        "a b",
        "a.example:0",
        "a:b:c",
        "u@a.example",
        "é.example",
    ],
)
def test_what_is_no_pattern_is_refused(written):
    with pytest.raises(ValueError, match=r"."):
        read_pattern(written)


def test_every_set_must_name_the_target():
    url = parse_url("https://a.example/")

    check_bounds(url, (frozenset({"a.example"}), frozenset({"*.example.com", "a.example"})))
    with pytest.raises(HostNotAllowed, match=r"may be sent only to b\.example, not to a\.example"):
        check_bounds(url, (frozenset({"a.example"}), frozenset({"b.example"})))


def test_a_bound_request_is_not_sent_elsewhere_and_follows_no_redirect_there():
    client = http.Client(parse_allow_list("127.0.0.1:*"))
    with ScriptedServer(say_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as other:
        away = f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n".encode()
        with ScriptedServer(say_raw(away)) as first:
            bound = (frozenset({f"127.0.0.1:{first.port}"}),)
            request = http.Request("GET", f"http://127.0.0.1:{first.port}/", max_redirects=3, bounds=bound)

            with pytest.raises(HostNotAllowed) as refusal:
                client.send(request)
            with pytest.raises(HostNotAllowed):
                client.send(replace(request, url=f"http://127.0.0.1:{other.port}/"))

    client.pool.clear()
    assert (len(first.heard), len(other.heard), refusal.value.code) == (1, 0, "host_not_allowed")
