"""Notices as mails: a subject that says it all, a few facts, one link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from automation.engine.durations import duration_text
from automation.engine.wording import counted

LONGEST_SUBJECT = 180  # characters
_ABOUT_APPROVALS = {
    "approval_requested": "Your answer is needed",
    "approval_escalated": "Nobody has answered yet",
    "approval_reminder": "Still unanswered, and its time runs out",
    "approval_expired": "Not answered in time",
}
_ABOUT_SCHEDULES = {
    "did_not_run": {
        "slots": "should have run by its schedule and has not",
        "success": "should have succeeded and has not",
    },
    "runs_again": {"slots": "runs by its schedule again", "success": "succeeds again"},
}

Json = Any


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready but for its receiver."""

    subject: str
    text: str
    html: str


def write(content: Mapping[str, Json], *, workspace: str, silence_url: str = "") -> Letter:
    """The mail for a notice. `silence_url` is the receiver's own link to get no more of these."""
    headline = headline_of(content)
    facts = list(_facts(content, workspace))
    context = {
        "headline": headline,
        "facts": facts,
        "quote": _quote(content),
        "link": _link(content),
        "why": _why(content, workspace),
        "silence_url": silence_url,
    }
    subject = f"[{workspace}] {headline}"
    cut = subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}…"
    return Letter(cut, _text(context), render_to_string("automation/mail/notice.html", context))


def headline_of(content: Mapping[str, Json]) -> str:
    """One sentence without a full stop."""
    event, count = content["event"], content["count"]
    name = f"“{content['workflow']['name']}”" if content["workflow"] else ""
    if event in _ABOUT_SCHEDULES:
        return f"{name} {_ABOUT_SCHEDULES[event][content['schedule']['misses']]}"
    match event:
        case "first_failure":
            return f"{name} failed"
        case "timed_out":
            return f"{name} ran out of time"
        case "still_failing":
            return f"{name} still fails: {counted(count, 'run')} since the last notice"
        case "recovered":
            return f"{name} works again after {counted(count, 'failed run')}"
        case "run_slow":
            seconds = (content["run"] or {}).get("seconds")
            return f"{name} took {duration_text(round(seconds))}" if seconds else f"{name} took long"
        case "digest":
            return f"{counted(count, 'more notice')} within the hour"
        case "test":
            return f"A test of “{content['rule']['name']}”"
        case "subscription_disabled":
            return f"“{content['subscription']['name']}” is no longer sent events: {content['subscription']['reason']}"
    return f"{_ABOUT_APPROVALS[event]}: {content['approval']['title']}"


def _facts(content: Mapping[str, Json], workspace: str) -> Iterator[tuple[str, str]]:
    if content["workflow"]:
        yield "Workflow", content["workflow"]["name"]
    yield "Workspace", workspace
    run = content["run"] or {}
    if run.get("finished_at"):
        yield "Run", f"number {run['number']}, version {run['version']}, {run['status'].replace('_', ' ')}"
        yield "Ended", _moment(run["finished_at"])
    if (run.get("error") or {}).get("step"):
        yield "Step", run["error"]["step"]
    if content["since"]:
        yield "Since" if content.get("schedule") else "Failing since", _moment(content["since"])
    yield from _subject_facts(content)
    for event, count in content.get("events", {}).items():
        yield event.replace("_", " ").capitalize(), counted(count, "notice")
    if content.get("workflows"):
        more = ", …" if content["more_workflows"] else ""
        yield "Workflows", ", ".join(one["name"] for one in content["workflows"]) + more


def _subject_facts(content: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """What is known about a schedule, a subscription or an approval."""
    if (content.get("schedule") or {}).get("name"):
        yield "Schedule", content["schedule"]["name"]
    if content.get("subscription"):
        yield "Receiver", content["subscription"]["receiver"]
    approval = content.get("approval") or {}
    if approval.get("assignees"):
        yield "Asked", ", ".join(approval["assignees"])
    if approval.get("expires_at"):
        yield "Until", _moment(approval["expires_at"])


def _quote(content: Mapping[str, Json]) -> str:
    """What the error or the question says."""
    error = (content["run"] or {}).get("error") or {}
    about = content.get("approval") or content.get("subscription") or error
    return str(about.get("message") or (content.get("schedule") or {}).get("reason") or "")


def _link(content: Mapping[str, Json]) -> tuple[str, str] | None:
    """What to open, and where it is. Opening an approval decides nothing."""
    if content.get("approval"):
        return "Open the approval", content["approval"]["url"]
    if content.get("subscription"):
        return "Open the subscription", content["subscription"]["url"]
    if content["run"]:
        return "Open the run", content["run"]["url"]
    if content.get("schedule"):
        return "Open the schedule", content["schedule"]["url"]
    return None


def _why(content: Mapping[str, Json], workspace: str) -> str:
    if content["rule"]:
        return f"The notice rule “{content['rule']['name']}” of the workspace {workspace} sends you this."
    if content.get("subscription"):
        return f"You get this because you made the subscription or own the workspace {workspace}."
    return f"You get this because an approval in the workspace {workspace} asks you."


def _text(context: Mapping[str, Json]) -> str:
    parts = [context["headline"] + ".", "\n".join(f"{label}: {value}" for label, value in context["facts"])]
    if context["quote"]:
        parts.append("\n".join(f"> {line}" for line in context["quote"].splitlines()))
    if context["link"]:
        parts.append("{}:\n{}".format(*context["link"]))
    footer = ["-- ", context["why"]]
    if context["silence_url"]:
        footer.append(f"No more of these for you: {context['silence_url']}")
    return "\n\n".join([*parts, "\n".join(footer)]) + "\n"


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
