"""Slack: HMAC-SHA256 over `v0:{timestamp}:{body}`, hexadecimal, in `X-Slack-Signature: v0=…`.

Source: docs.slack.dev, "Verifying requests from Slack"; slackapi/python-slack-sdk, slack_sdk/signature. Interactive
requests are forms with JSON in `payload`. The URL is tried with `url_verification`, whose challenge is sent back.
"""

from __future__ import annotations

import re
from typing import Any

from webhooks.signatures.contract import Attempt, Headers, Reply, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import fields_of, text_at
from webhooks.signatures.recipe import Recipe

_CHALLENGE = re.compile(r"[\x21-\x7e]{1,500}", re.ASCII)
_INNER, _OUTER, _COMMAND = text_at("event", "type"), text_at("type"), text_at("command")


def content(attempt: Attempt, timestamp: str) -> bytes:
    """What Slack signs."""
    return b"v0:" + timestamp.encode() + b":" + attempt.body


RECIPE = Recipe("X-Slack-Signature", prefix="v0=", content=content, timestamp="X-Slack-Request-Timestamp")


def greet(attempt: Attempt) -> Reply | None:
    """Answer a challenge that is not signed: it says nothing that its sender did not say."""
    is_signed = "x-slack-signature" in attempt.headers
    return None if is_signed or b"url_verification" not in attempt.body else confirm(attempt, fields_of(attempt))


def confirm(_attempt: Attempt, body: Any) -> Reply | None:
    """Send a challenge back."""
    if _OUTER(body) != "url_verification" or not isinstance(challenge := body.get("challenge"), str):
        return None
    return Reply(challenge.encode()) if _CHALLENGE.fullmatch(challenge) else None


def event_type(_headers: Headers, body: Any) -> str:
    """The event inside an event callback, else the kind of interaction, else the slash command."""
    return _INNER(body) or _OUTER(body) or _COMMAND(body) or ""


SCHEME = Scheme(
    key="slack",
    title="Slack",
    description="HMAC-SHA256 over time and body in X-Slack-Signature; repeats are found by event_id. "
    "The challenge url_verification is answered.",
    setup="api.slack.com, your app: the secret is the Signing Secret of Basic Information; enter the address at Event "
    "Subscriptions, Interactivity or a slash command. Slack waits 3 seconds.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_type,
    delivery_id=text_at("event_id"),
    form_field="payload",
    secret_may_follow=True,
    greet=greet,
    confirm=confirm,
)
