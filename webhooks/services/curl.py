"""A stored delivery as a command of curl, to send it again by hand. What was masked is left to shell variables."""

from __future__ import annotations

import base64
import re
import shlex
from urllib.parse import quote, urlencode

from brainops.core.redact import MASK
from webhooks.models import WebhookEvent

# curl says these itself, or the wire did
_OWN = frozenset({"host", "content-length", "accept-encoding", "content-type", "cookie", "x-request-id"})
_OWN_PREFIXES = ("x-forwarded-", "forwarded")
_KEYS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # control characters but tab and line feed
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


def command(event: WebhookEvent) -> str:
    """The command, over several lines. Masked headers stand as variables such as `$X_HUB_SIGNATURE_256`."""
    query = urlencode(event.query, doseq=True) if event.query else ""
    path = f"/{quote(event.path)}" if event.path else ""  # in braces or brackets curl would see several addresses
    address = event.endpoint.url + path + (f"?{query}" if query else "")
    method = "" if event.method == "POST" else f"-X {shlex.quote(event.method)} "
    as_is = "--path-as-is " if ".." in event.path else ""
    lines = [f"curl -i {as_is}{method}{shlex.quote(address)}", *map(_header, _shown(event).items())]
    # without a value curl leaves its own one out
    lines.append(f"-H {shlex.quote(f'Content-Type: {event.content_type}'.strip())}")
    body, feed = _body(bytes(event.body))
    return feed + " \\\n  ".join([*lines, body])


def notes(event: WebhookEvent) -> list[str]:
    """What to know before sending it."""
    said = []
    masked = [name for name, value in _shown(event).items() if value == MASK]
    if masked:
        names = ", ".join(masked)
        said.append(f"Proofs are not kept: set {', '.join(map(_variable, masked))} for {names}, or sign the body anew.")
    if MASK in str(event.query):
        said.append("A secret of the query was masked: put it back in the address.")
    if event.is_truncated:
        said.append(f"Only {len(event.body):,} of {event.size_bytes:,} bytes of the body were kept.")
    if event.delivery_id:
        said.append("The same delivery id is taken for a repeat and starts nothing. Change it, or use replay.")
    return said


def _shown(event: WebhookEvent) -> dict[str, str]:
    """The sender's own headers. A name that is none (RFC 9110, 5.1) could be an option of curl: it is left out."""
    named = {str(name): str(value) for name, value in event.headers.items()}
    return {name: value for name, value in named.items() if _NAME.fullmatch(name) and not _is_own(name)}


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith(_OWN_PREFIXES)


def _header(pair: tuple[str, str]) -> str:
    name, value = pair
    if value == MASK:  # only the variable may be expanded
        return f'-H "{name}: ${_variable(name)}"'
    return f"-H {shlex.quote(f'{name}: {value}')}"


def _variable(name: str) -> str:
    letters = name.replace("-", "_").upper()
    return f"_{letters}" if letters[0].isdigit() else letters


def _body(raw: bytes) -> tuple[str, str]:
    """The argument of the body, and what stands before the command to feed it.

    `--data-raw`, since with the others a body that begins with @ would name a file of the reader's. In base64 go bytes
    that a terminal takes for keys when the command is pasted: Ctrl-C would end the quoted text, and run what follows.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"
    if not _KEYS.search(text):
        return f"--data-raw {shlex.quote(text)}", ""
    return "--data-binary @-", f"printf %s {shlex.quote(base64.b64encode(raw).decode())} | base64 -d | "
