"""Strict reading of URLs and hosts."""

import pytest

from brainops.core.egress.errors import BlockedTarget, EgressError, InvalidRequest
from brainops.core.egress.hosts import Host
from brainops.core.egress.urls import Url, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.com", Url("http", Host("example.com"), 80, "/")),
        ("HTTPS://Example.COM:8443/a?b=c#d", Url("https", Host("example.com"), 8443, "/a?b=c")),
        ("http://example.com.:80?q", Url("http", Host("example.com"), 80, "/?q")),
        ("http://1.1.1.1/", Url("http", Host("1.1.1.1", is_address=True), 80, "/")),
        ("http://[2606:4700::1111]:81/", Url("http", Host("2606:4700::1111", is_address=True, is_v6=True), 81, "/")),
        ("http://a_b.internal/x", Url("http", Host("a_b.internal"), 80, "/x")),
        ("https://xn--bcher-kva.example/", Url("https", Host("xn--bcher-kva.example"), 443, "/")),
        ("http://h/ü?q=ö", Url("http", Host("h"), 80, "/%C3%BC?q=%C3%B6")),
        ("http://h/100%?a=%2F", Url("http", Host("h"), 80, "/100%25?a=%2F")),
        ('http://h/a"b', Url("http", Host("h"), 80, "/a%22b")),
    ],
)
def test_a_plain_url_is_read_in_one_way(text, expected):
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://h:80/", "h"),
        ("https://h:80/", "h:80"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_host_header_names_the_port_only_where_it_is_special(url, authority):
    assert parse_url(url).authority == authority


def test_a_shown_url_has_no_query():
    assert parse_url("https://h/a?api_key=secret").shown == "https://h/a"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//127.0.0.1/",
        "/path",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_x",
        "unix:///var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "http:///127.0.0.1/",
        "http://",
        "http://:80/",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:٨٠/",
        "http://h:80:80/",
        "http://h:+80/",
        "http://user@h/",
        "http://user:password@h/",
        "http://allowed\\@127.0.0.1/",
        "http://127.0.0.1\\@allowed.example/",
        "http://h\\evil/",
        "http://h/a b",
        "http://h/\r\nX: y",
        "http://127.0.0.1\r\nX: y/",
        "http://h\t/",
        "http://h/\x00",
        "http://h /",
        " http://h/",
        "http://127。0。0。1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://localhoſt/",
        "http://bücher.example/",
        "http://127.0.0.1%2eexample.com/",
        "http://a..b/",
        "http://.a/",
        "http://-a/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%eth0]/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://[127.0.0.1]/",
        f"http://h/{'a' * 17_000}",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(url):
    with pytest.raises(InvalidRequest):
        parse_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
        "0",
        "0x",
        "foo.0x7f",
        "foo.1",
        "%31%32%37.0.0.1",
        "metadata",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "x.metadata.google.internal",
    ],
)
def test_numbers_in_disguise_and_metadata_names_are_blocked(host):
    with pytest.raises(BlockedTarget):
        parse_url(f"http://{host}/")


def test_messages_do_not_repeat_a_password():
    with pytest.raises(EgressError) as refused:
        parse_url("http://admin:hunter22@h/")

    assert refused.value.message == "The URL holds a user name or password. Send them in the Authorization header."
