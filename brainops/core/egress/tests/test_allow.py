"""The allow list."""

import pytest

from brainops.core.egress.allow import AllowList, parse_allow_list
from brainops.core.egress.errors import BlockedTarget
from brainops.core.egress.hosts import Host, parse_host


def test_an_empty_list_opens_nothing():
    assert parse_allow_list("") == AllowList(frozenset())


def test_entries_are_hosts_with_ports():
    found = parse_allow_list(" crm.Internal:8080, 127.0.0.1:* ,[::1]:9000")

    assert found.entries == {("crm.internal", 8080), ("127.0.0.1", 0), ("::1", 9000)}


@pytest.mark.parametrize(
    "entry", ["crm.internal", "crm.internal:", ":80", "h:0", "h:65536", "h:٨", "*:80", "10.0.0.0/8:80"]
)
def test_a_wrong_entry_is_named(entry):
    with pytest.raises(ValueError, match="BRAINOPS_EGRESS_ALLOW: "):
        parse_allow_list(f"good.internal:80,{entry}")


def test_a_listed_name_may_have_private_addresses_on_its_port_only():
    allow = parse_allow_list("crm.internal:8080")
    crm = Host("crm.internal")

    allow.check_address(crm, 8080, "10.0.0.7")
    with pytest.raises(BlockedTarget):
        allow.check_address(crm, 80, "10.0.0.7")
    with pytest.raises(BlockedTarget):
        allow.check_address(Host("other.internal"), 8080, "10.0.0.7")


def test_a_listed_address_does_not_open_names_that_point_to_it():
    allow = parse_allow_list("127.0.0.1:8080")

    allow.check_target(parse_host("127.0.0.1"), 8080)
    with pytest.raises(BlockedTarget):
        allow.check_address(Host("rebind.test"), 8080, "127.0.0.1")


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "168.63.129.16"])
def test_a_listed_host_never_leads_to_metadata_or_multicast(address):
    allow = parse_allow_list(f"{address}:80,crm.internal:80")

    with pytest.raises(BlockedTarget):
        allow.check_target(parse_host(address), 80)
    with pytest.raises(BlockedTarget):
        allow.check_address(Host("crm.internal"), 80, address)


def test_ports_of_other_protocols_need_an_entry():
    host = Host("example.com")

    parse_allow_list("example.com:6379").check_target(host, 6379)
    with pytest.raises(BlockedTarget) as refused:
        parse_allow_list("").check_target(host, 6379)
    assert refused.value.message == (
        "Port 6379 of example.com is not open for workflows. "
        "An operator can open it with BRAINOPS_EGRESS_ALLOW=example.com:6379."
    )


def test_the_refusal_of_a_name_does_not_tell_its_address():
    with pytest.raises(BlockedTarget) as refused:
        parse_allow_list("").check_address(Host("db.corp"), 443, "10.9.8.7")

    assert refused.value.message == (
        "db.corp is a name for an address that is not public. "
        "An operator can open it with BRAINOPS_EGRESS_ALLOW=db.corp:443."
    )
