"""Security keys and passkeys as second factors (WebAuthn, level 2), kept by allauth, checked by python-fido2.

The browser signs for one origin, which is that of BRAINOPS_PUBLIC_URL and no other. The caller keeps the state between
the two halves, for one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity, UserVerificationRequirement

from brainops.accounts.models import User
from brainops.accounts.services import login_limits, second_factors
from brainops.audit.actor import Actor
from brainops.core import clock, json_gate
from brainops.core.errors import Conflict, InvalidInput, NotAuthenticated

MOST_KEYS = 10  # of one user
_MOST_BYTES = 16 * 1024  # of a browser's answer
_MEMBERS = ("id", "rawId", "type", "response", "clientExtensionResults")
_PREFERRED = UserVerificationRequirement.PREFERRED  # a PIN or a finger where the key has one

Options = dict[str, Any]
State = dict[str, Any]


def is_possible() -> bool:
    """True where browsers offer it: over https, or on localhost; never for a bare address."""
    public = urlsplit(settings.BRAINOPS_PUBLIC_URL)
    host = str(public.hostname)
    return host == "localhost" or (public.scheme == "https" and not (":" in host or host.replace(".", "").isdigit()))


def begin_adding(user: User) -> tuple[Options, State]:
    """What the browser is asked for a new key, and what to keep until it answers. Raises Conflict."""
    if not is_possible():
        raise Conflict("Security keys need https and a name in BRAINOPS_PUBLIC_URL.", code="security_keys_not_possible")
    if Authenticator.objects.filter(user_id=user.id, type=Authenticator.Type.WEBAUTHN).count() >= MOST_KEYS:
        raise Conflict(f"There are {MOST_KEYS} security keys already. Remove one first.", code="too_many_security_keys")
    whose = PublicKeyCredentialUserEntity(name=user.email, id=user.id.bytes, display_name=user.get_full_name())
    options, state = _server().register_begin(whose, auth.get_credentials(user), user_verification=_PREFERRED)
    return dict(options), dict(state)


def add(user: User, *, state: Mapping[str, Any], answer: str, name: str) -> list[str]:
    """Keep a new key; returns recovery codes when it is the first factor, else nothing. Raises InvalidInput."""
    credential = _parsed(answer)
    try:
        auth.parse_registration_response(credential)
        _server().register_complete(state, credential)
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise InvalidInput("The security key's answer does not fit. Try again.", code="security_key_refused") from error
    with transaction.atomic():
        User.objects.select_for_update().get(id=user.id)  # two first factors at once take turns
        label = "".join(letter for letter in name if letter.isprintable()).strip()[:60]
        auth.WebAuthn.add(user, label or "Security key", credential)
        second_factors.record_change(user, "mfa.enable", "Added a security key.")
        return second_factors.first_codes(user)


def begin_using(user: User) -> tuple[Options, State] | None:
    """What the browser is asked for one of the user's keys; None without any."""
    credentials = auth.get_credentials(user)
    if not credentials:
        return None
    options, state = _server().authenticate_begin(credentials, user_verification=_PREFERRED)
    return dict(options), dict(state)


def check(user: User, *, state: Mapping[str, Any], answer: str) -> str:
    """Check a key's answer; returns how it counts (RFC 8176: "hwk"). Raises NotAuthenticated, TooManyRequests."""
    login_limits.take_code(user.id)
    try:
        response = auth.parse_authentication_response(_parsed(answer))
        used = _server().authenticate_complete(state, auth.get_credentials(user), response)
        row = auth.get_authenticator_by_credential_id(user, used.credential_id)
    except (ValidationError, ValueError, TypeError, KeyError, InvalidInput) as error:
        second_factors.record_change(
            user, "login.code_fail", f"A security key for {user.email} was refused.", actor=Actor.anonymous()
        )
        raise NotAuthenticated("The security key was not accepted. Try again.", code="code_wrong") from error
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=clock.now())
    login_limits.give_back_code(user.id)
    return "hwk"


def names_of(user: User) -> list[str]:
    """The names of the user's keys, the oldest first."""
    rows = Authenticator.objects.filter(user_id=user.id, type=Authenticator.Type.WEBAUTHN).order_by("pk")
    return [str(data["name"]) for data in rows.values_list("data", flat=True)]


def _parsed(answer: str) -> dict[str, Any]:
    """The members of a browser's answer that mean something; the others are dropped."""
    try:
        found = json_gate.read(answer.encode()) if len(answer) <= _MOST_BYTES else None
    except (InvalidInput, UnicodeEncodeError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("That is no answer of a security key.", code="security_key_refused")
    return {name: found[name] for name in _MEMBERS if name in found}


def _server() -> Fido2Server:
    public = urlsplit(settings.BRAINOPS_PUBLIC_URL)
    origin = f"{public.scheme}://{public.netloc}"
    site = PublicKeyCredentialRpEntity(name="BrainOps", id=str(public.hostname))
    return Fido2Server(site, verify_origin=lambda given: given == origin)
