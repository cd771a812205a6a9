"""Dates as text by a closed set of directives, the same on every machine and in every locale."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from automation.engine.expressions.errors import Refusal

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
_LONGEST_FORMAT = 200

DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
    "m": lambda t: f"{t.month:02}",
    "B": lambda t: _MONTHS[t.month - 1],
    "b": lambda t: _MONTHS[t.month - 1][:3],
    "d": lambda t: f"{t.day:02}",
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "A": lambda t: _DAYS[t.weekday()],
    "a": lambda t: _DAYS[t.weekday()][:3],
    "u": lambda t: str(t.isoweekday()),
    "G": lambda t: f"{t.isocalendar().year:04}",
    "V": lambda t: f"{t.isocalendar().week:02}",
    "H": lambda t: f"{t.hour:02}",
    "I": lambda t: f"{(t.hour - 1) % 12 + 1:02}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "M": lambda t: f"{t.minute:02}",
    "S": lambda t: f"{t.second:02}",
    "f": lambda t: f"{t.microsecond:06}",
    "z": lambda t: t.strftime("%z")[:5],
    "Z": lambda t: str(t.tzname()),
    "s": lambda t: str(int(t.timestamp())),
    "%": lambda _t: "%",
}


def formatted(moment: datetime, pattern: str) -> str:
    """`moment` by a pattern such as `%Y-%m-%d %H:%M`; `%-d` is a number without leading zeros."""
    if len(pattern) > _LONGEST_FORMAT:
        raise Refusal(f"takes a format of at most {_LONGEST_FORMAT} characters", value=pattern)

    def written(match: re.Match[str]) -> str:
        directive = DIRECTIVES.get(match[2])
        if directive is None:
            raise Refusal("knows no such directive", value=match[0], hint=f"It knows %{', %'.join(DIRECTIVES)}.")
        value = directive(moment)
        return value.lstrip("0") or "0" if match[1] else value

    return _DIRECTIVE.sub(written, pattern)
