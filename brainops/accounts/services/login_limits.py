"""Limits of login attempts, of codes and of requests for new passwords.

They act before a password is hashed (0.4 s of a core), and they live in PostgreSQL, so they hold over all web processes
and when Redis is away. Each limit is a bucket of the generic cell rate algorithm (ITU-T I.371).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from brainops.accounts.models import LoginLimit
from brainops.core import clock
from brainops.core.errors import TooManyRequests
from brainops.core.web.clients import network_of


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` attempts at once, then one every `seconds`."""

    name: str
    burst: int
    seconds: float


# One visitor at one account: five guesses, then two a minute.
ACCOUNT_FROM_NETWORK = Limit("account+network", burst=5, seconds=30)
# One visitor at any account: trying one password everywhere.
NETWORK = Limit("network", burst=20, seconds=5)
# One account from everywhere: a botnet. Wide, since it keeps the owner out while it lasts.
ACCOUNT = Limit("account", burst=50, seconds=15)
# Everybody: five hashes a second keep two cores busy.
EVERYBODY = Limit("everybody", burst=60, seconds=0.2)
# Codes of one user, whoever types them: they know the password already. Three codes of a million are good at a time,
# so guessing at this pace takes some 230 days for an even chance.
CODE = Limit("code", burst=5, seconds=60)
# Mails with a link to one address, and requests for such mails by one visitor.
RESET_ADDRESS = Limit("reset address", burst=3, seconds=600)
RESET_NETWORK = Limit("reset network", burst=10, seconds=30)
# One-time tokens tried, and visits to an identity provider begun, by one visitor.
VISIT = Limit("visit", burst=30, seconds=2)

_TAKE = """
    insert into accounts_loginlimit as bucket (key, full_until)
    values (%(key)s, now() + %(step)s * interval '1 second')
    on conflict (key) do update
       set full_until = greatest(bucket.full_until, now()) + %(step)s * interval '1 second'
     where greatest(bucket.full_until, now()) + %(step)s * interval '1 second' <= now() + %(most)s * interval '1 second'
    returning true
"""


def take(account: str, ip: str) -> None:
    """Count one attempt. Raises TooManyRequests, with the seconds until the next one makes sense.

    The narrowest bucket is asked first, and a refusal takes nothing from the wider ones: whoever hammers one account
    does not use up what belongs to everybody.
    """
    _take_each(_buckets(account, ip), "Too many login attempts. Wait a moment, then try again.")


def take_code(user_id: UUID) -> None:
    """Count one code typed for a user. Raises TooManyRequests."""
    _take_each([(CODE, _key(CODE, str(user_id)))], "Too many codes. Wait a moment, then try again.")


def give_back_code(user_id: UUID) -> None:
    """Empty the bucket of codes after one that was right."""
    LoginLimit.objects.filter(key=_key(CODE, str(user_id))).delete()


def take_reset(email: str, ip: str) -> None:
    """Count one request for a new password, the same for known and unknown addresses. Raises TooManyRequests."""
    buckets = [
        (RESET_ADDRESS, _key(RESET_ADDRESS, email.strip().lower())),
        (RESET_NETWORK, _key(RESET_NETWORK, network_of(ip))),
    ]
    _take_each(buckets, "Too many requests for a new password. Look into your mail first, or wait a moment.")


def take_visit(ip: str) -> None:
    """Count one try of a one-time token or of a sign-on by a visitor. Raises TooManyRequests."""
    _take_each([(VISIT, _key(VISIT, network_of(ip)))], "Too many attempts. Wait a moment, then try again.")


def take_one(limit: Limit, *parts: str, sentence: str) -> None:
    """Count one attempt in a bucket of another door. Raises TooManyRequests with `sentence`."""
    key = _key(limit, *parts)
    if not _take(limit, key):
        raise TooManyRequests(sentence, retry_after_seconds=_wait_seconds(limit, key))


def give_back(account: str, ip: str) -> None:
    """Empty the account's buckets after a login that worked; those of the network stay."""
    keys = [key for limit, key in _buckets(account, ip) if limit in (ACCOUNT_FROM_NETWORK, ACCOUNT)]
    LoginLimit.objects.filter(key__in=keys).delete()


def forget_old() -> int:
    """Delete buckets that are empty again; returns how many."""
    return LoginLimit.objects.filter(full_until__lt=clock.now() - timedelta(minutes=1)).delete()[0]


def _buckets(account: str, ip: str) -> Iterator[tuple[Limit, str]]:
    name, network = account.strip().lower(), network_of(ip)
    yield ACCOUNT_FROM_NETWORK, _key(ACCOUNT_FROM_NETWORK, name, network)
    yield NETWORK, _key(NETWORK, network)
    yield ACCOUNT, _key(ACCOUNT, name)
    yield EVERYBODY, _key(EVERYBODY)


def _take_each(buckets: Iterable[tuple[Limit, str]], message: str) -> None:
    for limit, key in buckets:
        if not _take(limit, key):
            raise TooManyRequests(message, code="too_many_logins", retry_after_seconds=_wait_seconds(limit, key))


def _key(limit: Limit, *parts: str) -> str:
    return hashlib.sha256("\0".join((limit.name, *parts)).encode("utf-8", "replace")).hexdigest()


def _take(limit: Limit, key: str) -> bool:
    # two attempts may get here: the row's lock makes them take turns, the returned row tells who was let in
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "step": limit.seconds, "most": limit.seconds * limit.burst})
        return cursor.fetchone() is not None


def _wait_seconds(limit: Limit, key: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "select extract(epoch from full_until - now())::float8 from accounts_loginlimit where key = %s", [key]
        )
        row = cursor.fetchone()
    return max(1.0, (row[0] if row else 0.0) - limit.seconds * (limit.burst - 1))
