"""Links in mails by which their receivers silence them, without logging in.

A link holds what it silences and for whom, under a keyed hash: it works for that person's mails of that rule only, and
can be used again to take it back.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from automation.models import NoticeMute, NoticeRule
from brainops.accounts.models import Membership
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.crypto import signing_keys
from brainops.core.errors import NotFound

PURPOSE = "notice-mute"
_NO_RULE = UUID(int=0)
_HASH_BYTES = 16
_TOKEN_BYTES = 3 * 16 + _HASH_BYTES


@dataclass(frozen=True, slots=True)
class Silence:
    """One person's mails of one rule; without a rule those that approvals send to whom they ask."""

    workspace_id: UUID
    rule_id: UUID | None
    user_id: UUID


def url_of(silence: Silence) -> str:
    """The address of the link."""
    return f"{settings.BRAINOPS_PUBLIC_URL}{settings.BRAINOPS_API_PREFIX}/notices/mute/{token_of(silence)}"


def token_of(silence: Silence) -> str:
    """The link's own part."""
    body = silence.workspace_id.bytes + (silence.rule_id or _NO_RULE).bytes + silence.user_id.bytes
    return base64.urlsafe_b64encode(body + _hashes(body)[0]).decode().rstrip("=")


def read(token: str) -> Silence:
    """What a token silences. Raises NotFound for one that we never made, or whose keys are gone."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise NotFound from error
    body, given = raw[:-_HASH_BYTES], raw[-_HASH_BYTES:]
    if len(raw) != _TOKEN_BYTES or not any(hmac.compare_digest(given, one) for one in _hashes(body)):
        raise NotFound
    workspace_id, rule_id, user_id = (UUID(bytes=body[at : at + 16]) for at in (0, 16, 32))
    return Silence(workspace_id, None if rule_id == _NO_RULE else rule_id, user_id)


def use(token: str, *, is_wanted: bool = False) -> str:
    """Silence what the token is about, or with `is_wanted` let it speak again; return what that is, in words.

    Twice is once. Raises NotFound, also when the person has left or the rule is gone.
    """
    silence = read(token)
    rules = NoticeRule.objects.filter(workspace_id=silence.workspace_id)
    rule = rules.filter(id=silence.rule_id).first() if silence.rule_id else None
    member = Membership.objects.filter(workspace_id=silence.workspace_id, user_id=silence.user_id)
    person = member.select_related("user").first()
    if person is None or (silence.rule_id and rule is None):
        raise NotFound
    what = f"the notices of {rule.name!r}" if rule else "mails about approvals that ask you"
    with transaction.atomic():
        _set(silence, is_wanted=is_wanted)
        record(
            actor=Actor("user", person.user_id, person.user.email),
            workspace_id=silence.workspace_id,
            action="notice.unmute" if is_wanted else "notice.mute",
            target_kind="notice" if rule else "user",
            target_id=rule.id if rule else silence.user_id,
            summary=f"{'Wants' if is_wanted else 'Wants no more'} {what}, by the link in a mail.",
        )
    return what


def _set(silence: Silence, *, is_wanted: bool) -> None:
    key: dict[str, Any] = {"workspace_id": silence.workspace_id, "rule_id": silence.rule_id, "user_id": silence.user_id}
    if is_wanted:
        NoticeMute.objects.filter(**key, workflow=None).delete()
        return
    NoticeMute.objects.update_or_create(**key, workflow=None, defaults={"until": None})


def _hashes(body: bytes) -> list[bytes]:
    return [hmac.digest(key, body, "sha256")[:_HASH_BYTES] for key in signing_keys(PURPOSE)]
