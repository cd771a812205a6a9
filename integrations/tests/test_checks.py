"""What stops a process at start."""

from django.core.checks import Error

from integrations.checks import check_connectors, check_egress_allow


def test_a_readable_allow_list_passes(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["crm.internal:8080"]

    assert check_egress_allow() == []


def test_a_wrong_entry_of_the_allow_list_is_named(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["crm.internal"]

    assert check_egress_allow() == [
        Error(
            "BRAINOPS_EGRESS_ALLOW: 'crm.internal' has no port; write host:port, like crm.internal:8080.",
            id="integrations.E001",
        )
    ]


def test_the_connectors_that_come_along_pass():
    assert check_connectors() == []
