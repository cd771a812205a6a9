"""The certificates that senders publish, fetched through the outbound door before a delivery is judged, and kept.

Only addresses that a scheme allows are called, and only a few a minute for one endpoint, since strangers can name them.
"""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from brainops.core import clock, logs
from brainops.core.egress import http
from brainops.core.egress.errors import EgressError
from brainops.core.egress.tls import client_context
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from webhooks.services.states import EndpointState
from webhooks.signatures.contract import Attempt, Certificates
from webhooks.signatures.published import names_of

KEPT_SECONDS = 24 * 3600.0
FAILED_SECONDS = 30.0  # a sender that cannot be reached is not asked for each delivery
FETCH_SECONDS = 5.0
MOST_BYTES = 64 * 1024
MOST_KEPT = 64
FETCHES_PER_MINUTE = 6  # of one endpoint
OK = 200

log = logs.get_logger(__name__)
Send = Callable[[http.Request], http.Answer]


class Published:
    """The published certificates this process knows, PEM by address; empty for one that could not be had."""

    def __init__(self, *, send: Send = http.send, roots: Callable[[], Store] | None = None) -> None:
        self._send = send
        self._roots = roots or system_roots
        self._lock = threading.Lock()  # one fetch at a time: the others find what it brought
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def of(self, state: EndpointState, attempt: Attempt) -> MappingProxyType[str, bytes]:
        """The certificates that the scheme wants for a delivery."""
        wanted = state.scheme.certificates
        urls = wanted.wanted(attempt) if wanted else ()
        return MappingProxyType({url: self._one(url, state, wanted, attempt.now) for url in urls if wanted})

    def _one(self, url: str, state: EndpointState, wanted: Certificates, now: float) -> bytes:
        if (kept := self._known(url)) is not None:
            return kept
        bucket = Bucket(
            "webhook-certificates", str(state.stored.endpoint_id), FETCHES_PER_MINUTE / 60, FETCHES_PER_MINUTE
        )
        if limiter.take(bucket).refused is not None:
            return b""
        with self._lock:
            if (kept := self._known(url)) is not None:
                return kept
            found = self._fetch(url, wanted, now)
            self._kept[url] = (clock.monotonic() + (KEPT_SECONDS if found else FAILED_SECONDS), found)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return found

    def _known(self, url: str) -> bytes | None:
        until, pem = self._kept.get(url, (0.0, b""))
        return pem if clock.monotonic() < until else None

    def _fetch(self, url: str, wanted: Certificates, now: float) -> bytes:
        request = http.Request(
            "GET", url, total_seconds=FETCH_SECONDS, read_seconds=FETCH_SECONDS, max_bytes=MOST_BYTES
        )
        try:
            answer = self._send(request)
        except EgressError as error:
            log.warning("webhook_certificate_not_fetched", url=url, error=error.code)
            return b""
        if answer.status != OK:
            log.warning("webhook_certificate_not_fetched", url=url, status=answer.status)
            return b""
        if wanted.has_chain and not has_chain(answer.body, self._roots(), datetime.fromtimestamp(now, UTC)):
            log.warning("webhook_certificate_without_chain", url=url)
            return b""
        return answer.body


def has_chain(pem: bytes, roots: Store, now: datetime) -> bool:
    """True when the first certificate of the file leads, over the others, to one of the roots (RFC 5280)."""
    try:
        leaf, *others = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return False
    policy = PolicyBuilder().store(roots).time(now.replace(tzinfo=None))
    return any(_leads(policy, name, leaf, others) for name in names_of(leaf))


def _leads(policy: PolicyBuilder, name: str, leaf: x509.Certificate, others: list[x509.Certificate]) -> bool:
    try:
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
    except (ValueError, VerificationError):
        return False
    return True


@cache
def system_roots() -> Store:
    """The roots that this server trusts: those of every outbound TLS connection."""
    return Store([root for root in map(_root, client_context().get_ca_certs(binary_form=True)) if root])


def _root(der: bytes) -> x509.Certificate | None:
    """A root, None for one that breaks RFC 5280: a few old ones do, and no sender here needs them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            return x509.load_der_x509_certificate(der)
    except (ValueError, CryptographyDeprecationWarning):
        return None


published = Published()
