"""Why an outbound request got no answer.

EgressError
├── InvalidRequest     invalid_request     the URL or a header cannot be sent
├── BlockedTarget      blocked_target      the address rule or the port rule refuses the target
├── HostNotAllowed     host_not_allowed    what it carries is bound to other hosts
├── DnsFailed          dns_failed          the name has no address
├── ConnectFailed      connect_failed      refused, unreachable
├── ConnectTimeout     connect_timeout     no connection in time
├── TlsFailed          tls_failed          certificate or handshake
├── ReadTimeout        read_timeout        the target fell silent
├── DeadlineExceeded   deadline            the time for the whole request is over
├── TooLarge           too_large           more bytes than asked for
├── ProtocolError      protocol_error      the answer is no valid HTTP/1.1
├── ConnectionLost     connection_lost     closed before the answer was complete
├── TooManyRedirects   too_many_redirects
└── Cancelled          cancelled           the caller wants no answer any more
"""

from __future__ import annotations

from typing import ClassVar


class EgressError(Exception):
    """An outbound request that got no answer.

    `code` is stable. `was_sent` is true when a part of the request has left: a write may then have happened.
    `has_heard` is true when a part of the answer came; `status` is what its head said, when that was complete.
    """

    code: ClassVar[str] = "egress"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.was_sent = False
        self.has_heard = False
        self.status: int | None = None


class InvalidRequest(EgressError):
    """The URL or a header cannot be sent."""

    code = "invalid_request"


class BlockedTarget(EgressError):
    """The target is not public and not on the allow list."""

    code = "blocked_target"


class HostNotAllowed(EgressError):
    """The request carries what may be sent to certain hosts only, and the target is none of them."""

    code = "host_not_allowed"


class DnsFailed(EgressError):
    """The name has no address, or no answer about it came."""

    code = "dns_failed"


class ConnectFailed(EgressError):
    """No address of the target took the connection."""

    code = "connect_failed"


class ConnectTimeout(EgressError):
    """The connection was not made in time."""

    code = "connect_timeout"


class TlsFailed(EgressError):
    """The certificate is not good for the host, or no secure channel could be agreed on."""

    code = "tls_failed"


class ReadTimeout(EgressError):
    """The target took the request and fell silent."""

    code = "read_timeout"


class DeadlineExceeded(EgressError):
    """The time for the whole request is over."""

    code = "deadline"


class TooLarge(EgressError):
    """The answer is larger than asked for."""

    code = "too_large"


class ProtocolError(EgressError):
    """The answer is no valid HTTP/1.1, or uses an encoding nobody asked for."""

    code = "protocol_error"


class ConnectionLost(EgressError):
    """The target closed the connection before its answer was complete."""

    code = "connection_lost"


class TooManyRedirects(EgressError):
    """The answer is one more redirect than the request follows, or one that must not be followed."""

    code = "too_many_redirects"


class Cancelled(EgressError):
    """The caller wants no answer any more."""

    code = "cancelled"
