"""Pages of other origins as senders (CORS): only those that the webhook's config names, never with credentials.

Source: the Fetch standard, "HTTP-network-or-cache fetch". Whoever is no browser is not kept out by this.
"""

from __future__ import annotations

import re
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase

from webhooks.services.fronts import ANY_ORIGIN, Front
from webhooks.services.outcomes import Incoming
from webhooks.services.states import known

UNKNOWN = 404  # is the same for everybody
KNOWN_SECONDS = 600  # that a browser may remember the answer
MOST_HEADERS = 30
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII | re.IGNORECASE)


def preflight(webhook_id: UUID, incoming: Incoming) -> HttpResponse | None:
    """The answer to a browser that asks before it sends; None for every other request. Raises NotFound."""
    origin = incoming.headers.get("origin", "")
    if incoming.method != "OPTIONS" or not origin or "access-control-request-method" not in incoming.headers:
        return None
    front = known.read(webhook_id).front
    if not front.allows_origin(origin):
        return None  # the webhook itself says that it does not take OPTIONS, or its scheme's handshake answers
    asked = incoming.headers.get("access-control-request-headers", "").split(",")
    names = [name.strip() for name in asked[:MOST_HEADERS] if _NAME.fullmatch(name.strip())]
    answer = HttpResponse(status=204, headers=_headers(front, origin))
    answer.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(front.methods))
    answer.headers["Access-Control-Max-Age"] = str(KNOWN_SECONDS)
    if names:
        answer.headers["Access-Control-Allow-Headers"] = ", ".join(names)
    return answer


def allowed(response: HttpResponseBase, webhook_id: UUID, incoming: Incoming) -> HttpResponseBase:
    """The answer, with leave for a page of a chosen origin to read it."""
    origin = incoming.headers.get("origin")
    if not origin or response.status_code == UNKNOWN or webhook_id not in known:
        return response
    if (front := known.get(webhook_id).front).allows_origin(origin):
        for name, value in _headers(front, origin).items():
            response.headers[name] = value
    return response


def _headers(front: Front, origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": ANY_ORIGIN if ANY_ORIGIN in front.origins else origin, "Vary": "Origin"}
