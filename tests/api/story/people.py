"""Accounts, sign-in, workspaces and who may do what there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.core import mail

from brainops.accounts.services import reset_mails
from brainops.accounts.tests.codes import code_of
from brainops.accounts.tests.provider.browser import visit
from brainops.core import clock
from tests.api.story.teller import Book, Voice

PASSWORD, OTHER, THIRD = "correct horse battery", "staple of another horse", "a passphrase nobody else has"
AT_THE_PROVIDER = {"email": "ada@example.com", "email_verified": True, "name": "Ada L."}


def in_days(number: int) -> str:
    """A moment ahead, as bodies say it."""
    return (clock.now() + timedelta(days=number)).isoformat()


def log_in(book: Book, name: str, password: str = PASSWORD, **headers: str) -> Voice:
    """Somebody with an access token."""
    pair = Voice(book).ask("auth_token_create", {"username": name, "password": password})
    return Voice(book, pair["access"], **headers)


def sign_in(book: Book) -> None:
    """Tokens, second factors, passwords, logins and single sign-on of Joan, who does nothing else."""
    nobody = Voice(book)
    pair = nobody.ask("auth_token_create", {"username": "joan", "password": PASSWORD})
    pair = nobody.ask("auth_token_refresh_create", {"refresh": pair["refresh"]})
    joan = Voice(book, pair["access"])
    begun = joan.ask("me_mfa_create", {"password": PASSWORD})
    code = code_of(begun["secret"], steps=-1)
    codes = joan.ask("me_mfa_confirm_create", {"ticket": begun["ticket"], "code": code})["recovery_codes"]
    joan.ask("me_mfa_retrieve")
    ticket = nobody.try_("auth_token_create", {"username": "joan", "password": PASSWORD}).json()["ticket"]
    nobody.ask("auth_token_mfa_create", {"ticket": ticket, "code": code_of(begun["secret"])})
    codes = joan.ask("me_mfa_recovery_codes_create", {"code": codes[0]})["recovery_codes"]
    joan.ask("me_mfa_remove_create", {"code": codes[0]})
    _logins(book, joan)
    _forgotten(nobody)


def _logins(book: Book, joan: Voice) -> None:
    log_in(book, "joan")
    rows = joan.ask("me_sessions_list")["results"]
    joan.ask("me_sessions_destroy", id=next(row["id"] for row in rows if not row["is_current"]))
    pair = joan.ask("me_password_create", {"old_password": PASSWORD, "new_password": OTHER})
    joan = Voice(book, pair["access"])
    joan.ask("me_sessions_revoke_all_create")
    log_in(book, "joan", OTHER).ask("auth_logout_create")


def _forgotten(nobody: Voice) -> None:
    nobody.ask("auth_password_reset_create", {"email": "joan@example.com"})
    reset_mails.deliver()
    (line,) = [line for line in mail.outbox[-1].body.splitlines() if "://" in line]
    nobody.ask("auth_password_reset_confirm_create", {"token": line.rpartition("/")[2], "password": THIRD})


def sign_on(book: Book) -> None:
    """Through a provider of identities."""
    nobody = Voice(book)
    nobody.ask("auth_oidc_retrieve")
    begun = nobody.ask("auth_oidc_start_create", provider="company")
    said = visit(begun["url"], name="u1", claims=AT_THE_PROVIDER)
    nobody.ask("auth_oidc_token_create", {**said, "ticket": begun["ticket"]})


def workspaces(ada: Voice) -> None:
    """Making one and giving it up again."""
    made = ada.ask("workspaces_create", {"name": "Shop tests"})
    ada.ask("workspaces_list")
    ada.ask("workspaces_retrieve", id=made["id"])
    ada.ask("workspaces_partial_update", {"name": "Shop experiments", "requires_if_match": True}, id=made["id"])
    ada.ask("workspaces_destroy", id=made["id"], query={"confirm": made["slug"]})
    ada.ask("me_retrieve")
    ada.ask("me_partial_update", {"name": "Ada Lovelace"})
    ada.ask("quotas_retrieve")


def members(book: Book, ada: Voice, home: Any) -> None:
    """Inviting Grace and Heidi, changing what they may, and handing the workspace over and back."""
    nobody = Voice(book)
    grace = _invited(ada, "grace@example.com", message="Come and automate the shop.")
    nobody.ask("invitations_accept_create", {"token": grace[1], "username": "grace", "password": THIRD})
    heidi = _invited(ada, "heidi@example.com")
    ada.ask("invitations_list")
    ada.ask("invitations_resend_create", id=heidi[0])
    nobody.ask("invitations_decline_create", {"token": _token()})
    ada.ask("invitations_destroy", id=_invited(ada, "ivan@example.com")[0])
    row = next(one for one in ada.ask("members_list")["results"] if one["user"]["username"] == "grace")
    ada.ask("members_retrieve", id=row["id"])
    ada.ask("members_partial_update", {"role": "admin"}, id=row["id"])
    ada.ask("workspaces_transfer_create", {"to": row["id"]}, id=home.id)
    mine = next(one for one in ada.ask("members_list")["results"] if one["user"]["username"] == "ada")
    back = {"to": mine["id"], "own_role": "builder"}
    log_in(book, "grace", THIRD).ask("workspaces_transfer_create", back, id=home.id)


def leaving(ada: Voice) -> None:
    """Grace goes; Ada takes over what she made."""
    rows = {one["user"]["username"]: one["id"] for one in ada.ask("members_list")["results"]}
    ada.ask("members_destroy", id=rows["grace"], query={"reassign_to": rows["ada"]})


def keys(ada: Voice) -> None:
    """A key of a program: made, changed, rotated, revoked."""
    body = {"name": "Nightly import", "role": "operator", "networks": ["203.0.113.0/24"], "expires_at": in_days(90)}
    made = ada.ask("api_keys_create", body)
    ada.ask("api_keys_list")
    ada.ask("api_keys_retrieve", id=made["id"])
    ada.ask("api_keys_partial_update", {"name": "Import of the night"}, id=made["id"])
    ada.ask("api_keys_rotate_create", {"overlap_seconds": 3600}, id=made["id"])
    ada.ask("api_keys_destroy", id=made["id"])


def _invited(ada: Voice, email: str, **body: str) -> tuple[str, str]:
    made = ada.ask("invitations_create", {"email": email, "role": "builder", **body})
    return made["id"], _token()


def _token() -> str:
    found = re.search(r"/invitations/([\w-]{43})\b", mail.outbox[-1].body)
    assert found is not None
    return found[1]
