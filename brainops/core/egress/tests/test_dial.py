"""From a name to a connection: one lookup, every address judged, the judged one connected to."""

import socket

import pytest

from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.dial import checked_addresses, dial
from brainops.core.egress.errors import BlockedTarget, ConnectFailed, DnsFailed
from brainops.core.egress.hosts import Host
from brainops.core.egress.message import Request
from brainops.core.egress.tests.servers import echo
from brainops.core.egress.watch import Watch


class Names:
    """A resolver whose answers change from lookup to lookup, and that remembers who asked."""

    def __init__(self, **answers):
        self.asked = []
        self._answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}

    def __call__(self, name, port):
        self.asked.append((name, port))
        answers = self._answers[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def addresses(host, port, resolver, allow=""):
    watch = Watch(5)
    return checked_addresses(
        host, port, allow=parse_allow_list(allow), watch=watch, resolver=resolver, until=watch.limit(5)
    )


def test_a_name_is_resolved_once_per_connection(make_client, serve):
    server = serve(echo)
    names = Names(rebind_test=[["127.0.0.1"], ["169.254.169.254"]])
    client = make_client(f"rebind.test:{server.port}", resolver=names)

    for _ in range(3):
        client.send(Request("GET", server.url(host="rebind.test")))

    assert names.asked == [("rebind.test", server.port)]
    assert server.connections == 1


def test_a_name_that_turns_to_another_address_is_judged_again_with_the_next_connection(make_client, serve):
    server = serve(echo)
    names = Names(rebind_test=[["127.0.0.1"], ["169.254.169.254"]])
    client = make_client(f"rebind.test:{server.port}", resolver=names)

    client.send(Request("GET", server.url(host="rebind.test")))
    client.pool.clear()
    with pytest.raises(BlockedTarget):
        client.send(Request("GET", server.url(host="rebind.test")))

    assert server.connections == 1


def test_a_kept_connection_of_one_name_is_not_used_for_another(make_client, serve):
    server = serve(echo)
    names = Names(good_test=[["127.0.0.1"]], evil_test=[["127.0.0.1"]])
    client = make_client(f"good.test:{server.port}", resolver=names)

    client.send(Request("GET", server.url(host="good.test")))
    with pytest.raises(BlockedTarget):
        client.send(Request("GET", server.url(host="evil.test")))


@pytest.mark.parametrize(
    "answer",
    [
        ["1.1.1.1", "169.254.169.254"],
        ["169.254.169.254", "1.1.1.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["1.1.1.1", "::ffff:127.0.0.1"],
        ["1.1.1.1", "64:ff9b::a9fe:a9fe"],
    ],
)
def test_one_closed_address_among_open_ones_refuses_the_name(answer):
    with pytest.raises(BlockedTarget):
        addresses(Host("multi.test"), 443, Names(multi_test=[answer]))


def test_open_addresses_are_given_in_the_order_of_the_resolver_without_repeats():
    names = Names(good_test=[["2606:4700::1111", "1.1.1.1", "2606:4700::1111"]])

    assert addresses(Host("good.test"), 443, names) == ("2606:4700::1111", "1.1.1.1")


def test_a_literal_address_is_not_looked_up():
    names = Names()

    assert addresses(Host("1.1.1.1", is_address=True), 443, names) == ("1.1.1.1",)
    assert names.asked == []


def test_a_blocked_target_is_not_looked_up():
    names = Names()

    with pytest.raises(BlockedTarget):
        addresses(Host("good.test"), 25, names)

    assert names.asked == []


def test_an_empty_answer_is_a_dns_failure():
    with pytest.raises(DnsFailed, match=r"The name empty\.test has no address\."):
        addresses(Host("empty.test"), 443, Names(empty_test=[[]]))


def test_other_protocols_name_their_own_ports():
    watch = Watch(5)
    found = checked_addresses(
        Host("1.1.1.1", is_address=True),
        587,
        allow=parse_allow_list(""),
        watch=watch,
        until=watch.limit(5),
        ports=frozenset({587}),
    )

    assert found == ("1.1.1.1",)


def test_a_dead_first_address_is_passed_over(serve):
    server = serve(echo)
    allow = parse_allow_list(f"two.test:{server.port}")

    connected = dial(
        Host("two.test"), server.port, allow=allow, watch=Watch(5), resolver=Names(two_test=[["::1", "127.0.0.1"]])
    )

    with connected:
        assert connected.getpeername() == ("127.0.0.1", server.port)
        assert connected.gettimeout() == 0


def test_the_last_failure_of_several_is_told(serve):
    server = serve(echo)
    server.stop()
    allow = parse_allow_list(f"two.test:{server.port}")
    names = Names(two_test=[["127.0.0.2", "127.0.0.1"]])

    with pytest.raises(ConnectFailed, match=r"two\.test:\d+ took no connection: Connection refused\."):
        dial(Host("two.test"), server.port, allow=allow, watch=Watch(5), resolver=names)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_literals_are_called(make_client, serve):
    try:
        server = serve(echo, address="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    client = make_client(f"[::1]:{server.port}")

    assert client.send(Request("GET", server.url(host="[::1]"))).status == 200
    assert server.heard[0].headers["host"] == f"[::1]:{server.port}"


def test_the_operator_learns_the_address_that_was_blocked(caplog):
    with pytest.raises(BlockedTarget):
        addresses(Host("db.corp"), 443, Names(db_corp=[["10.9.8.7"]]))

    event = caplog.records[0].msg
    assert {name: event[name] for name in ("event", "level", "host", "port", "address")} == {
        "event": "egress_blocked",
        "level": "warning",
        "host": "db.corp",
        "port": 443,
        "address": "10.9.8.7",
    }
