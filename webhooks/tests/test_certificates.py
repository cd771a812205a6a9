"""Published certificates: fetched once, with their chain, and only a few times for whoever asks."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from cryptography.x509.verification import Store

from brainops.core.egress.errors import DnsFailed
from brainops.core.egress.message import Answer
from webhooks.services import certificates
from webhooks.services.certificates import Published, has_chain, system_roots
from webhooks.signatures import all_schemes
from webhooks.tests.signatures.minted import NOW, Sender
from webhooks.tests.signatures.test_keys import CERT_URL, of_paypal

NAME = "messageverificationcerts.paypal.com"
pytestmark = pytest.mark.usefixtures("_fresh_memory")


@pytest.fixture(scope="module")
def root():
    return Sender("Test root", is_authority=True)


@pytest.fixture(scope="module")
def middle(root):
    return Sender("Test issuer", by=root, is_authority=True)


@pytest.fixture(scope="module")
def leaf(middle):
    return Sender(NAME, by=middle)


class Publisher:
    """Answers as a sender's server would, and counts."""

    def __init__(self, body=b"", status=200):
        self.body, self.status, self.asked = body, status, []

    def send(self, request):
        self.asked.append(request.url)
        if self.status == 0:
            raise DnsFailed("The name has no address.")
        return Answer(self.status, {}, self.body, request.url)


def state():
    return SimpleNamespace(scheme=all_schemes()["paypal"], stored=SimpleNamespace(endpoint_id=uuid4()))


def test_a_chain_up_to_a_trusted_root_is_needed(root, middle, leaf):
    roots, others = Store([root.certificate]), Store([Sender("Other", is_authority=True).certificate])

    assert has_chain(leaf.pem + middle.pem, roots, NOW)
    assert not has_chain(leaf.pem, roots, NOW)
    assert not has_chain(leaf.pem + middle.pem, others, NOW)
    assert not has_chain(leaf.pem + middle.pem, roots, NOW.replace(year=2030))
    assert not has_chain(b"no pem", roots, NOW)
    assert not has_chain(Sender(NAME).pem, roots, NOW)


def test_a_certificate_is_fetched_once_and_then_known(root, middle, leaf):
    publisher = Publisher(leaf.pem + middle.pem)
    known = Published(send=publisher.send, roots=lambda: Store([root.certificate]))
    where = state()

    found = [known.of(where, of_paypal(leaf)) for _ in range(3)]

    assert found == [{CERT_URL: leaf.pem + middle.pem}] * 3
    assert publisher.asked == [CERT_URL]
    assert all_schemes()["paypal"].verify(of_paypal(leaf)).ok


@pytest.mark.parametrize(("body", "status"), [(b"no pem", 200), (b"", 404), (b"", 0)])
def test_what_cannot_be_had_is_not_asked_for_again_at_once(root, body, status, leaf):
    publisher = Publisher(body, status)
    known = Published(send=publisher.send, roots=lambda: Store([root.certificate]))
    where = state()

    assert [known.of(where, of_paypal(leaf)) for _ in range(3)] == [{CERT_URL: b""}] * 3
    assert publisher.asked == [CERT_URL]


def test_strangers_cannot_make_us_call_without_end(root, leaf):
    publisher = Publisher(b"", 404)
    known = Published(send=publisher.send, roots=lambda: Store([root.certificate]))
    where = state()

    for number in range(50):
        known.of(where, of_paypal(leaf, url=f"{CERT_URL}{number}"))

    assert len(publisher.asked) <= certificates.FETCHES_PER_MINUTE + 1


def test_other_hosts_are_not_called(root, leaf):
    publisher = Publisher(leaf.pem)
    known = Published(send=publisher.send, roots=lambda: Store([root.certificate]))

    assert known.of(state(), of_paypal(leaf, url="https://evil.example/cert")) == {}
    assert publisher.asked == []


def test_the_roots_are_those_of_outbound_connections():
    assert isinstance(system_roots(), Store)
