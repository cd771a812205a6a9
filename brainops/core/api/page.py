"""The API's description as a page, from files of our own: no script inside the page, nothing from elsewhere."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from drf_spectacular.views import SpectacularSwaggerSplitView

SCHEMA_NAME = "api-page-schema"  # the route the page reads the document from

_show = SpectacularSwaggerSplitView.as_view(
    url_name=SCHEMA_NAME, template_name="api/page.html", authentication_classes=(), permission_classes=()
)


def api_page(request: HttpRequest) -> HttpResponse:
    """The page. Who may see it is decided where it is mounted."""
    return cast(HttpResponse, _show(request))
