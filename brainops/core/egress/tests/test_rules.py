"""The address rule."""

import pytest

from brainops.core.egress.rules import Verdict, judge


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e", "::ffff:1.1.1.1"],
)
def test_globally_routable_unicast_is_public(address):
    assert judge(address) is Verdict.PUBLIC


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT: is_private is False
        "198.18.0.1",  # benchmarking
        "192.0.2.1",  # documentation
        "203.0.113.9",
        "::1",
        "fd12:3456::1",  # unique local
        "2001:db8::1",
        "3fff::1",
        "5f00::1",  # segment routing: is_global is True
        "4000::1",  # not allocated
        "100::1",  # discard
        "::ffff:127.0.0.1",
        "::ffff:a00:1",  # 10.0.0.1
    ],
)
def test_private_and_special_addresses_need_the_allow_list(address):
    assert judge(address) is Verdict.PRIVATE


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:0",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::101:101",
        "64:ff9b:1::a9fe:a9fe",
        "2001:0:53aa:64c::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_some_addresses_are_never_called_even_when_listed(address):
    assert judge(address) is Verdict.NEVER


def test_what_is_no_address_is_refused():
    with pytest.raises(ValueError, match="2130706433"):
        judge("2130706433")
