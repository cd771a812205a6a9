"""Reading messages: the body a sender wrote as the item of a run, in the form the trigger asks for.

What cannot be read so is refused: it stands in the ledger with the reason, and the next message is not kept waiting.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from automation.engine.wording import quoted
from automation.triggers.contract import Item, SourceError
from brainops.core import json_gate
from brainops.core.errors import AppError
from integrations.runner.brokers.contract import Message

Json = Any
KeepFile = Callable[[str, str, bytes], dict[str, Json]]

SHOWN_CHARACTERS = 200  # of a message that is refused


class Unreadable(Exception):
    """The message is not what the trigger reads; the text says why."""


def item_of(message: Message, config: Mapping[str, Json], keep_file: KeepFile) -> Item:
    """The item that a message is. Never raises: one that cannot be read is a refused item."""
    facts = {"message": dict(message.facts)}
    try:
        data = _data(message, config, keep_file)
    except Unreadable as refusal:
        return Item(message.key, _shown(message), message.at, refused=str(refusal), facts=facts)
    return Item(message.key, data, message.at, facts=facts)


def _data(message: Message, config: Mapping[str, Json], keep_file: KeepFile) -> Json:
    body = _body(message, config)
    if body is None:
        _check_size(sum(map(len, message.fields.values())), config)
        return {name: _text_or_base64(value) for name, value in message.fields.items()}
    _check_size(len(body), config)
    if config["body"] == "file":
        return _as_file(body, message, keep_file)
    return _READERS[config["body"]](body)


def _body(message: Message, config: Mapping[str, Json]) -> bytes | None:
    name = config.get("field")
    if name is None or message.body is not None:
        return message.body
    if name not in message.fields:
        raise Unreadable(f"It has no field {quoted(name)}; it has {', '.join(sorted(message.fields)) or 'none'}.")
    return message.fields[name]


def _check_size(size: int, config: Mapping[str, Json]) -> None:
    if size > config["max_bytes"]:
        raise Unreadable(f"It has {size:,} bytes; {config['max_bytes']:,} are taken (max_bytes).")


def _as_file(body: bytes, message: Message, keep_file: KeepFile) -> Json:
    kind = str(message.facts.get("content_type") or "application/octet-stream")
    try:
        return {"file": keep_file("message", kind, body), "size": len(body)}
    except SourceError as error:
        raise Unreadable(error.message) from error


def _json(body: bytes) -> Json:
    said = settings.BRAINOPS_LIMITS
    limits = json_gate.Limits(
        body_bytes=len(body) + 1, depth=said["json_depth"], keys=said["json_keys"], string_bytes=len(body) + 1
    )
    try:
        return json_gate.read(body, limits)
    except AppError as error:
        raise Unreadable(f"It cannot be read as JSON: {error.message}") from error


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"It is no UTF-8 text: byte {error.start} is 0x{body[error.start]:02x}.") from error
    if "\0" in text:
        raise Unreadable("Its text holds a NUL character, which the database cannot store. Read it as base64.")
    return text


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _auto(body: bytes) -> Json:
    for read in (_json, _text):
        try:
            return read(body)
        except Unreadable:
            continue
    return _base64(body)


def _text_or_base64(value: bytes) -> Json:
    try:
        return _text(value)
    except Unreadable:
        return {"base64": _base64(value)}


_READERS: Mapping[str, Callable[[bytes], Json]] = {"auto": _auto, "json": _json, "text": _text, "base64": _base64}


def _shown(message: Message) -> Json:
    """The beginning of what was refused, for people."""
    body = message.body if message.body is not None else b" ".join(message.fields.values())
    return {"size": len(body), "begins": body[:SHOWN_CHARACTERS].decode("utf-8", "replace").replace("\0", "\ufffd")}
