"""What the environment says of mail that comes in, for `settings.py`: docs/email-triggers.md explains each."""

from __future__ import annotations

import re
from typing import Any

from brainops.core.environment import Environment

_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def read_inbound_mail(env: Environment) -> dict[str, Any]:
    """Where the consumer process listens for mail, for which domain, and how much it takes."""
    # The domain whose mail comes here (its MX record leads to this host). Not set = no mail is received.
    domain = env.text("BRAINOPS_INBOUND_MAIL_DOMAIN", "").lower()
    if domain and not _DOMAIN.fullmatch(domain):
        env.refuse("BRAINOPS_INBOUND_MAIL_DOMAIN must be a domain like in.example.com, without @ and scheme.")
    certificate = env.text("BRAINOPS_INBOUND_MAIL_CERTIFICATE", "")  # PEM with its chain; set = STARTTLS is offered
    key = env.text("BRAINOPS_INBOUND_MAIL_KEY", "")  # PEM, without a passphrase
    if bool(certificate) != bool(key):
        env.refuse("BRAINOPS_INBOUND_MAIL_CERTIFICATE and BRAINOPS_INBOUND_MAIL_KEY belong together: set both or none.")
    return {
        "domain": domain,
        # Port 25 needs the right to bind it (CAP_NET_BIND_SERVICE), or a relay or port mapping in front.
        "host": env.text("BRAINOPS_INBOUND_MAIL_HOST", "127.0.0.1"),
        "port": env.integer("BRAINOPS_INBOUND_MAIL_PORT", 2525, low=1, high=65_535),
        "certificate": certificate,
        "key": key,
        # of one mail, in mailboxes too: the most that a trigger may take
        "most_bytes": env.integer("BRAINOPS_INBOUND_MAIL_BYTES", 25 << 20, low=1024, high=256 << 20),
        "connections": env.integer("BRAINOPS_INBOUND_MAIL_CONNECTIONS", 100, low=1, high=10_000),  # at once
        "connections_of_one": env.integer("BRAINOPS_INBOUND_MAIL_CONNECTIONS_OF_ONE", 10, low=1, high=10_000),
        # mails a second to one trigger, and from one network to addresses that are not there
        "per_second": env.number("BRAINOPS_INBOUND_MAIL_PER_SECOND", 20, low=0.001, high=100_000),
        "unknown_per_second": env.number("BRAINOPS_INBOUND_MAIL_UNKNOWN_PER_SECOND", 1, low=0.001, high=100_000),
    }
