"""Run inside a network namespace of its own: where do the product's own senders arrive?

Beside the door itself (brainops/core/egress/tests), each part that takes a URL from somebody: the step `http.request`
the webhook of notices and a subscription. Reads a list of URLs, prints one JSON document as its last line.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import uuid4

import django

from brainops.core.egress.tests import namespace_probe as world

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
django.setup()

from automation.models import NoticeDelivery  # noqa: E402  # models need the settings
from automation.services import notice_sending  # noqa: E402  # models need the settings
from brainops.accounts.models import Workspace  # noqa: E402  # models need the settings
from brainops.core import clock  # noqa: E402  # models need the settings
from brainops.core.egress import http  # noqa: E402  # models need the settings
from integrations.contract import Failure  # noqa: E402  # models need the settings
from integrations.registry import all_actions  # noqa: E402  # models need the settings
from integrations.runner.actions import run_action  # noqa: E402  # models need the settings
from webhooks.models import OutboundDelivery, Subscription  # noqa: E402  # models need the settings
from webhooks.services import outbound_sending  # noqa: E402  # models need the settings


class Victim(world.Victim):
    """Takes what is posted, too."""

    do_POST = world.Victim.do_GET  # noqa: N815  # the name of http.server


def by_step(url: str) -> str:
    """How a run's step ends: the code of its failure, or the status it got."""
    found = run_action(
        all_actions()["http.request"],
        {"url": url, "follow_redirects": True, "timeout": 3, "method": "GET"},
        path="call",
        attempt=1,
        idempotency_key="",
        remaining_seconds=lambda: 3.0,
        is_cancelled=lambda: False,
    )
    return found.type if isinstance(found, Failure) else "answered"


def by_notice(url: str) -> str:
    """How a notice's webhook ends: the code of the refusal, or `answered`."""
    told = NoticeDelivery(
        id=uuid4(), workspace=Workspace(name="Acme", slug="acme"), event="test", content={}, created_at=clock.now()
    )
    try:
        notice_sending._post(told, url, "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
    except notice_sending.Refusal as refusal:
        said = refusal.reason
        return "answered" if said.startswith("The receiver answered") else said.partition(":")[0]
    return "answered"


def by_subscription(url: str) -> str:
    """How a subscription's delivery ends: the code of the refusal, or `answered`."""
    told = Subscription(url=url, secret="whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
    outcome = outbound_sending._attempt(OutboundDelivery(id=uuid4(), subscription=told, body={}), lambda: None)
    return outcome.error.partition(":")[0] or "answered"


SENDERS = {"step": by_step, "notice": by_notice, "subscription": by_subscription}


def probe(urls: list[str]) -> dict[str, dict[str, object]]:
    """What became of every URL, and on which addresses somebody was reached, by sender."""
    found: dict[str, dict[str, object]] = {}
    for name, sender in SENDERS.items():
        world.hits.clear()
        outcomes = {url: sender(url) for url in urls}
        outcomes["redirect"] = sender("http://good.test/to-metadata")
        http.client().pool.clear()
        found[name] = {"outcomes": outcomes, "hits": sorted(set(world.hits))}
        # one name that turns inside between two requests; each sender has a name of its own
        turning = f"http://turning-{name}.test/"
        first, _ = sender(turning), http.client().pool.clear()
        found[name]["turning"] = [first, sender(turning)]
        found[name]["hits_with_turning"] = sorted(set(world.hits))
    return found


if __name__ == "__main__":
    world.Victim = Victim  # type: ignore[misc]  # the server of the other probe, with one method more
    for name in SENDERS:
        world.NAMES[f"turning-{name}.test"] = [["93.184.216.34"], ["169.254.169.254"]]
    world.build_world()
    print(json.dumps(probe(json.load(sys.stdin))))
