"""Ready deliveries and published vectors of `shared/cases`: which scheme, secret and options each one means."""

from __future__ import annotations

from typing import Any

import orjson

from webhooks.signatures.contract import Attempt
from webhooks.tests import cases

SCHEMES = {"bitbucket-server": "bitbucket", "standard-webhooks": "standard"}
SECRETS = (
    *("secret", "signing_token", "signing_secret", "client_secret", "public_key", "auth_token", "signing_key"),
    *("secret_token", "verification_token", "signature_key", "app_secret"),
)


def scheme_of(row: dict[str, Any]) -> str:
    """The key of the scheme."""
    if row["provider"] == "standard-webhooks" and "public_key" in row["config"]:
        return "standard_ed25519"
    return SCHEMES.get(row["provider"], row["provider"])


def secrets_of(row: dict[str, Any]) -> tuple[str, ...]:
    """The secrets of the endpoint, the newest first.

    The row of DocuSign with another secret forgot to change its keys; it says in `why` what it means.
    """
    config = row["config"]
    if keys := config.get("hmac_keys"):
        return tuple(f"x{key}" if row["id"].endswith("-wrongsecret") else key for key in keys)
    return tuple(config[name] for name in SECRETS if name in config)[:1]


def options_of(row: dict[str, Any]) -> dict[str, Any]:
    """The scheme's options."""
    config = row["config"]
    url = config.get("public_url") or config.get("notification_url")
    found = {
        "url": url,
        "webhook_id": config.get("webhook_id"),
        "certificate": config.get("cert_pem_served_at_cert_url"),
        "verify_token": config.get("verify_token"),
    }
    return {name: value for name, value in found.items() if value}


def attempt_of(row: dict[str, Any]) -> tuple[str, Attempt]:
    """The scheme of a delivery, and the delivery as that scheme sees it."""
    body, options = cases.body_of(row), options_of(row)
    attempt = Attempt(
        secrets_of(row),
        {name.lower(): value for name, value in row["headers"].items()},
        body,
        row["now"],
        row["config"].get("tolerance", 60 if row["provider"] == "linear" else 300),
        url=options.get("url", ""),
        options=options,
        read=lambda: orjson.loads(body),
    )
    return scheme_of(row), attempt
