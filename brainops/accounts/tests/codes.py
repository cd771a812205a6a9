"""Codes of an authenticator app, as a phone would show them."""

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from brainops.core import clock


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code of an authenticator app, `steps` of 30 seconds from now (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, int(clock.now().timestamp()) // 30 + steps))


def wrong_code(secret: str) -> str:
    near = {code_of(secret, steps=steps) for steps in (-2, -1, 0, 1, 2)}
    return next(text for text in (f"{number:06}" for number in range(10)) if text not in near)
