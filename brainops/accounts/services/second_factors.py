"""Second factors of a user: an authenticator app (TOTP, RFC 6238) and recovery codes, kept by allauth.

A code works once, also when two processes are shown it at the same time: the step it was made for is noted under the
row's lock. (allauth notes used codes in the cache, which by default is one for each process.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.db import transaction

from brainops.accounts.models import TokenPurpose, User
from brainops.accounts.services import login_limits, one_time
from brainops.accounts.services.factor_secrets import MfaAdapter, secrets_of
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotAuthenticated, Problem

ENROLMENT_SECONDS = 15 * 60
_KIND = Authenticator.Type
_FACTORS = (_KIND.TOTP, _KIND.WEBAUTHN)  # recovery codes alone are none: they stand in for a lost one
_MOST_LETTERS = 32


@dataclass(frozen=True, slots=True)
class Factors:
    """What a user has set up."""

    totp_since: datetime | None
    totp_used_at: datetime | None
    recovery_codes_left: int
    security_keys: int

    @property
    def is_on(self) -> bool:
        """True when a login asks for a second factor."""
        return self.totp_since is not None or self.security_keys > 0


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that waits for its first code."""

    ticket: str
    secret: str
    url: str  # otpauth://, what the QR code says


def has_any(user: User) -> bool:
    """True when a login of this user asks for a second factor."""
    return bool(Authenticator.objects.filter(user_id=user.id, type__in=_FACTORS).exists())


def factors_of(user: User) -> Factors:
    """What a user has set up, for pages and the API."""
    found = list(Authenticator.objects.filter(user_id=user.id))
    rows = {row.type: row for row in found}
    totp, codes = rows.get(_KIND.TOTP), rows.get(_KIND.RECOVERY_CODES)
    with secrets_of(user.id):
        left = len(RecoveryCodes(codes).get_unused_codes()) if codes else 0
    keys = sum(row.type == _KIND.WEBAUTHN for row in found)
    return Factors(totp and totp.created_at, totp and totp.last_used_at, left, keys)


def begin(user: User) -> Enrolment:
    """Make a secret for an authenticator app. Nothing counts before `confirm`. Raises Conflict."""
    _require_none(user)
    secret = generate_totp_secret()
    one_time.drop_all(TokenPurpose.ENROLMENT, user)
    ticket = one_time.issue(TokenPurpose.ENROLMENT, seconds=ENROLMENT_SECONDS, user=user, secret=secret)
    return Enrolment(ticket, secret, MfaAdapter().build_totp_url(user, secret))


def pending(user: User, ticket: str) -> Enrolment | None:
    """The enrolment of a ticket, to show it again."""
    row = one_time.find(TokenPurpose.ENROLMENT, ticket)
    if row is None or row.user_id != user.id or row.secret is None:
        return None
    return Enrolment(ticket, row.secret, MfaAdapter().build_totp_url(user, row.secret))


def confirm(user: User, *, ticket: str, code: str) -> list[str]:
    """Turn the app on with its first code; returns the recovery codes, which are shown this once.

    Nothing is returned when there are some already, since security keys came first.
    """
    login_limits.take_code(user.id)
    enrolment = pending(user, ticket)
    if enrolment is None:
        raise _unfit("unknown_ticket", "This enrolment is over. Begin anew.", "/ticket")
    step = _step_of(enrolment.secret, code)
    if step is None:
        raise InvalidInput.from_problems(
            [Problem("wrong_code", "The code does not fit. Is the phone's clock right?", "/code")]
        )
    with transaction.atomic(), secrets_of(user.id):
        User.objects.select_for_update().get(id=user.id)  # two enrolments at once take turns
        _require_none(user)
        one_time.use(TokenPurpose.ENROLMENT, ticket)
        totp = TOTP.activate(user, enrolment.secret).instance
        _note_step(totp, step)
        codes = first_codes(user)
        record_change(user, "mfa.enable", "Set up an authenticator app.")
    login_limits.give_back_code(user.id)
    return codes


def check(user: User, code: str) -> str:
    """Use a code of the app or a recovery code; returns how it counts (RFC 8176: "otp").

    Raises TooManyRequests before the code is looked at, NotAuthenticated for a wrong or used one.
    """
    login_limits.take_code(user.id)
    with transaction.atomic(), secrets_of(user.id):
        is_right = len(code) <= _MOST_LETTERS and (_use_totp(user, code) or _use_recovery_code(user, code))
    if not is_right:
        record_change(user, "login.code_fail", f"A code for {user.email} was wrong.", actor=Actor.anonymous())
        raise NotAuthenticated("The code is wrong, or it was used before. Wait for the next one.", code="code_wrong")
    login_limits.give_back_code(user.id)
    return "otp"


def renew_codes(user: User, code: str) -> list[str]:
    """Replace the recovery codes; returns the new ones. Asks for a code."""
    _require_some(user)
    check(user, code)
    with transaction.atomic(), secrets_of(user.id):
        codes = _new_codes(user)
        record_change(user, "mfa.codes", "Made new recovery codes.")
    return codes


def turn_off(user: User, code: str) -> None:
    """Remove every second factor of a user. Asks for a code."""
    _require_some(user)
    check(user, code)
    remove_all(user, by=Actor("user", user.id, user.email))


def remove_all(user: User, *, by: Actor) -> None:
    """Remove every second factor of a user, without a question: for staff, when a phone is lost."""
    with transaction.atomic():
        if Authenticator.objects.filter(user_id=user.id).delete()[0]:
            record_change(user, "mfa.disable", f"Removed the second factor of {user.email}.", actor=by)


def _use_totp(user: User, code: str) -> bool:
    row = Authenticator.objects.select_for_update().filter(user_id=user.id, type=_KIND.TOTP).first()
    step = _step_of(decrypt(row.data["secret"]), code) if row else None
    if row is None or step is None or step <= row.data.get("used_step", 0):
        return False
    _note_step(row, step)
    return True


def _use_recovery_code(user: User, code: str) -> bool:
    row = Authenticator.objects.filter(user_id=user.id, type=_KIND.RECOVERY_CODES).first()
    if row is None or not RecoveryCodes(row).validate_code(code):  # takes the row's lock itself
        return False
    record_change(user, "mfa.recovery", "Used a recovery code.")
    return True


def _step_of(secret: str, code: str) -> int | None:
    """The time step a code was made for, None for a wrong one. Every step is compared, whichever fits."""
    now = int(clock.now().timestamp()) // app_settings.TOTP_PERIOD
    reach = app_settings.TOTP_TOLERANCE
    fitting = [
        step
        for step in range(now - reach, now + reach + 1)
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
    ]
    return max(fitting, default=None)


def _note_step(row: Authenticator, step: int) -> None:
    row.data["used_step"] = step
    row.last_used_at = clock.now()
    row.save(update_fields=["data", "last_used_at"])


def first_codes(user: User) -> list[str]:
    """Recovery codes for the first factor of a user; none when there are some."""
    if Authenticator.objects.filter(user_id=user.id, type=_KIND.RECOVERY_CODES).exists():
        return []
    with secrets_of(user.id):
        return _new_codes(user)


def _new_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user_id=user.id, type=_KIND.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def _unfit(code: str, message: str, pointer: str) -> InvalidInput:
    return InvalidInput.from_problems([Problem(code, message, pointer)])


def _require_none(user: User) -> None:
    if Authenticator.objects.filter(user_id=user.id, type=_KIND.TOTP).exists():
        raise Conflict("An authenticator app is set up already. Remove it first.", code="mfa_is_on")


def _require_some(user: User) -> None:
    if not has_any(user):
        raise Conflict("There is no second factor to change. Set one up first.", code="mfa_is_off")


def record_change(user: User, action: str, summary: str, *, actor: Actor | None = None) -> None:
    """Note what happened to the second factors of a user, by that user unless said otherwise."""
    record(
        actor=actor or Actor("user", user.id, user.email),
        workspace_id=None,
        action=action,
        target_kind="user",
        target_id=user.id,
        summary=summary,
    )
