"""The frame of our pages that stand outside of the admin: its looks, none of its rights."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def page(request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any) -> TemplateResponse:
    """A page in the admin's clothes, for anybody."""
    request.current_app = admin.site.name
    values = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, template, values, status=status)


def notice(request: HttpRequest, *, title: str, text: str, status: int = 200) -> HttpResponse:
    """A page that says one thing and leads back to the login."""
    return page(request, "accounts/notice.html", title=title, text=text, status=status)
