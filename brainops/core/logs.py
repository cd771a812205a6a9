"""Logs: one event, one line, JSON for machines or colours for people, secrets masked.

Line breaks and control characters of a value are escaped by the JSON form, so no visitor can forge a line.
"""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

from brainops.core.redact import redact_logged

Event = MutableMapping[str, Any]

# The request being served by this thread, "" outside of one. Bound by core.web.context.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# JSON leaves these as they are; some readers take them for the end of a line, and some terminals for orders: the
# line separators, DEL, and the C1 controls that ECMA-48 gives to 8-bit terminals.
_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
_TEXT_LIMIT = 4000  # characters of one value
LONGEST_LINE_BYTES = 16_384  # what Docker's and journald's readers take in one piece
_CUT_CHARACTERS = 500  # of each part of a line that was too long; six bytes a character at most, and escaped
_KEPT_WHEN_CUT = ("timestamp", "level", "logger", "event", "request_id", "run_id")


def configure(options: Mapping[str, str]) -> None:
    """Set up structlog and the standard library's logging; called by Django with settings.LOGGING."""
    render = _console() if options["format"] == "console" else _json()
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.format_exc_info,
        _tame,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    }
    logging.config.dictConfig(_standard_library(formatter, options["level"]))


def _standard_library(formatter: Mapping[str, Any], level: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": dict(formatter)},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # one line for each 4xx: the answer itself tells the caller, and visitors must not fill the log
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "django.db.backends": {"level": "INFO"},  # its DEBUG lines hold values
            "httpcore2": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
        },
    }


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module. Use: `log.info("run_started", run_id=…)`, one event, named fields."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _add_request_id(_logger: Any, _method: str, event: Event) -> Event:
    current = request_id.get()
    if current:
        event.setdefault("request_id", current)
    return event


def _tame(_logger: Any, _method: str, event: Event) -> Event:
    """Mask secrets and shorten long texts."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = _shorten(redact_logged(value, key=key))
    return event


def _shorten(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _TEXT_LIMIT:
        return f"{value[:_TEXT_LIMIT]}… ({len(value)} characters)"
    return value


def _json() -> structlog.types.Processor:
    def render(_logger: Any, _method: str, event: Event) -> str:
        line = _dumps(event)
        size = len(line.encode())
        if size < LONGEST_LINE_BYTES:
            return line
        cut = {key: str(event[key])[:_CUT_CHARACTERS] for key in _KEPT_WHEN_CUT if key in event}
        return _dumps({**cut, "cut": size, "start": line[:_CUT_CHARACTERS]})

    return render


def _dumps(event: Event) -> str:
    """One line of JSON; what it cannot say is said as text."""
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode().translate(_CONTROLS)


def _console() -> structlog.types.Processor:
    return structlog.dev.ConsoleRenderer()
