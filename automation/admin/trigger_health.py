"""How triggers are doing: one page for all of them, and the parts of the page of one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from automation.looks.states import ARRIVALS, HEALTH, RUNS
from automation.models import Arrival, Trigger
from automation.models.arrival import ArrivalDecision
from automation.services import trigger_health
from automation.services.trigger_health import Health, HealthState
from automation.triggers import all_trigger_kinds

MOST_TRIGGERS = 1_000  # that the page looks at, the newest
SHOWN_ARRIVALS = 50
ORDER = [state.value for state in (HealthState.FAILING, HealthState.QUIET, HealthState.OK)]


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """All triggers with their state, those that fail first."""
    rows = Trigger.objects.select_related("workflow", "workspace").order_by("-created_at", "-id")
    rows = rows.defer("workflow__definition", "workflow__meta_data", "workflow__description")
    found = trigger_health.many(list(rows[:MOST_TRIGGERS]))
    counts = Counter(health.state.value for health in found)
    chosen = request.GET.get("state", "")
    shown = [health for health in found if chosen in ("", health.state.value)]
    shown.sort(key=lambda health: ORDER.index(health.state.value) if health.state.value in ORDER else len(ORDER))
    context = {
        **site.each_context(request),
        "title": "Trigger health",
        "rows": [dressed(health) for health in shown],
        "chosen": chosen if chosen in HEALTH else "",
        "states": [{"value": value, "look": look, "count": counts[value]} for value, look in HEALTH.items()],
        "is_cut": len(found) == MOST_TRIGGERS,
        "most": MOST_TRIGGERS,
    }
    return render(request, "automation/trigger_health.html", context)


def dressed(health: Health) -> dict[str, Any]:
    """A trigger's health with its looks."""
    kind = all_trigger_kinds().get(health.trigger.kind)
    run = health.last_run
    return {
        "health": health,
        "trigger": health.trigger,
        "look": HEALTH[health.state.value],
        "kind_title": kind.title if kind else health.trigger.kind,
        "icon": kind.icon if kind else "help",
        "run_look": RUNS[run.status] if run else None,
        "counts": sorted(health.counts.items(), key=lambda item: -item[1]),
    }


def of_one(trigger: Trigger) -> dict[str, Any]:
    """What the page of one trigger shows of it, and of what came."""
    kind = all_trigger_kinds().get(trigger.kind)
    is_polled = kind is not None and kind.polling is not None
    keeps_arrivals = kind is None or (kind.clock is None and kind.sampling is None)
    return {
        "doing": dressed(trigger_health.many([trigger])[0]),
        "is_polled": is_polled and trigger.is_active,
        "keeps_arrivals": keeps_arrivals,
        "arrivals": _arrivals(trigger) if keeps_arrivals else [],
    }


def _arrivals(trigger: Trigger) -> list[Any]:
    rows = Arrival.objects.filter(trigger=trigger).defer("data", "facts", "handle", "operands")
    found: list[Any] = list(rows.order_by("-created_at", "-id")[:SHOWN_ARRIVALS])
    for row in found:
        row.look = ARRIVALS[ArrivalDecision(row.decision)]
    return found
