"""How an endpoint answers a delivery that started a run: what its config says, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from automation.engine.problem import Problem
from webhooks.models import AnswerMode
from webhooks.services.answers import Spoken, refused_header, safe_type, speak

REDIRECT_STATUSES = (302, 303, 307, 308)
WAITING = frozenset({AnswerMode.RESPOND, AnswerMode.LAST_STEP, AnswerMode.FILE, AnswerMode.STREAM})
_MOST_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answering:
    """`mode`, the seconds that a caller waits (0 when it is answered at once), and what it is answered then.

    `reply` is an answer of the config's own, instead of 202 with the run's address; a redirect is one, too.
    """

    mode: AnswerMode = AnswerMode.ACCEPTED
    wait_seconds: float = 0
    reply: Spoken | None = None


AT_ONCE = Answering()


def answering_of(mode: str, wait_seconds: float, config: Mapping[str, Any]) -> Answering:
    """How a checked config answers."""
    chosen = AnswerMode(mode)
    if chosen == AnswerMode.ACCEPTED:
        given = config.get("reply")
        return Answering(reply=speak(_with_type(given))) if given else AT_ONCE
    if chosen == AnswerMode.REDIRECT:
        redirect = config.get("redirect") or {}
        headers = {"Location": str(redirect.get("url", ""))}
        return Answering(chosen, reply=Spoken(redirect.get("status", 303), b"", headers))
    return Answering(chosen, wait_seconds)


def problems_of(config: Mapping[str, Any]) -> Iterator[Problem]:
    """What a schema cannot say of the answer."""
    mode, reply, redirect = config.get("answer"), config.get("reply"), config.get("redirect")
    if reply and mode not in (None, AnswerMode.ACCEPTED):
        yield Problem("unknown_key", f'"reply" belongs to the answer "accepted", not to {mode!r}. Remove it.', "/reply")
    if redirect and mode != AnswerMode.REDIRECT:
        yield Problem("unknown_key", '"redirect" belongs to the answer "redirect". Remove it.', "/redirect")
    if mode == AnswerMode.REDIRECT and not redirect:
        yield Problem("required", 'The answer "redirect" needs "redirect": {"url": "https://…"}.', "/redirect")
    yield from _reply_problems(reply or {})
    yield from _redirect_problems(redirect or {})


def _reply_problems(reply: Mapping[str, Any]) -> Iterator[Problem]:
    given = reply.get("content_type")
    if given is not None and safe_type(given) != given:
        said = f"Content type {given[:60]!r} is not answered: a browser could run it as a page of this server."
        yield Problem("invalid_value", said, "/reply/content_type")
    for name, value in (reply.get("headers") or {}).items():
        if (refusal := refused_header(name, value)) is not None:
            yield Problem("invalid_header", refusal, f"/reply/headers/{name}")
    body = reply.get("body")
    if isinstance(given, str) and not given.endswith("json") and body is not None and not isinstance(body, str):
        yield Problem("invalid_body", f"The body must be a text for {given}.", "/reply/body")
    if body is not None and len(str(body)) > _MOST_BODY:
        yield Problem("too_large", f"The body has more than {_MOST_BODY:,} characters.", "/reply/body")


def _redirect_problems(redirect: Mapping[str, Any]) -> Iterator[Problem]:
    url = redirect.get("url")
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_fit = False
    if not is_fit or not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        said = f"{url[:80]!r} is no absolute http(s) address without a user."
        yield Problem("invalid_url", said, "/redirect/url")


def _with_type(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A reply as a `respond` step would say it."""
    body = reply.get("body")
    usual = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    headers = {**(reply.get("headers") or {}), "Content-Type": reply.get("content_type") or usual}
    return {"status": reply.get("status", 200), "headers": headers, "body": body}
