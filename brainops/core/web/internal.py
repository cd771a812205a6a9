"""Pages for the machinery around the product, not for its users."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from brainops.core import metrics, shared_metrics
from brainops.core.errors import NotAuthenticated, NotFound


@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for whoever holds BRAINOPS_METRICS_TOKEN. Without that setting there is no such page."""
    token: str = settings.BRAINOPS_METRICS_TOKEN
    if not token:
        raise NotFound
    given = request.META.get("HTTP_AUTHORIZATION", "")
    # bytes: compare_digest refuses texts that are not ASCII
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise NotAuthenticated("Send the token of BRAINOPS_METRICS_TOKEN: `Authorization: Bearer …`.")
    return HttpResponse(
        metrics.render(shared_metrics.totals()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )
