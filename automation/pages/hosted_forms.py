"""/forms/{id}: a hosted form. Looking at it does nothing; its button starts a run.

Public, because that is what it is for. No cookie is set or read, so there is no session that another site could ride:
the token in the form says that our page was filled in.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from automation.services import hosted_forms
from automation.services.hosted_forms import BAIT, TOKEN, Answer, HostedForm
from brainops.core.errors import AppError, TooManyRequests
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import client_ip, network_of

TEMPLATE = "automation/hosted_form.html"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, trigger_id: UUID) -> HttpResponse:
    """Show the form, or take what was entered."""
    network = network_of(client_ip(request))
    try:
        require(bucket("address_callbacks", network))
        form = hosted_forms.find(trigger_id)
        if request.method != "POST":
            return _page(request, form=form, fields=form.fields(), token=hosted_forms.new_token(form))
        return _submitted(request, form, network)
    except AppError as refusal:
        return _said(request, refusal)


def _submitted(request: HttpRequest, form: HostedForm, network: str) -> HttpResponse:
    posted = request.POST.dict()
    try:
        answer = hosted_forms.submit(form, posted, network=network)
    except AppError as refusal:  # what was entered stays on the page
        said = "That was too often. Please wait a while." if isinstance(refusal, TooManyRequests) else refusal.message
        return _again(request, form, posted, Answer(False, {"": said}), refusal)
    if not answer.is_taken:
        return _again(request, form, posted, answer)
    return _page(request, form=form, is_done=True)


def _again(
    request: HttpRequest, form: HostedForm, posted: dict[str, str], answer: Answer, refusal: AppError | None = None
) -> HttpResponse:
    """The form with what was entered. A token that is too old is renewed; a good one stays, so that it counts once."""
    token = posted.get(TOKEN, "")
    context = {"fields": hosted_forms.shown(form, posted, answer), "problem": answer.problems.get("", "")}
    status = refusal.status if refusal else 400
    token = token if hosted_forms.is_good(form, token) else hosted_forms.new_token(form)
    page = _page(request, status=status, form=form, token=token, **context)
    for name, value in (refusal.headers if refusal else {}).items():
        page[name] = value
    return page


def _said(request: HttpRequest, refusal: AppError) -> HttpResponse:
    """A page without a form."""
    status = 410 if refusal.code == "form_closed" else refusal.status
    return _page(request, status=status, said=refusal.message)


def _page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    answer = render(request, TEMPLATE, {"bait": BAIT, **context}, status=status)
    answer["Content-Security-Policy"] = POLICY
    answer["Referrer-Policy"] = "no-referrer"  # who knows the address can fill in the form
    answer["X-Robots-Tag"] = "noindex"
    return answer
