"""What a person says of themselves: name and user name."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from brainops.accounts.belongings import renames
from brainops.accounts.caller import Caller
from brainops.accounts.models import User
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, PermissionDenied, Problem


def of(caller: Caller) -> User:
    """The person behind a caller. Raises PermissionDenied when it is nobody."""
    if caller.user_id is None:
        raise PermissionDenied("The system itself is nobody.")
    return User.objects.get(id=caller.user_id)


def change(caller: Caller, changes: Mapping[str, str]) -> User:
    """Change the caller's own name or user name. Raises InvalidInput with every reason, PermissionDenied for keys.

    Open questions that name the person follow the new user name; the text of workflows does not.
    """
    if caller.via == "api_key" or caller.user_id is None:
        raise PermissionDenied("An API key cannot change its user. Log in.")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(id=caller.user_id)
        before = {name: getattr(user, name) for name in changes}
        different = {name: value for name, value in changes.items() if before[name] != value}
        if not different:
            return user
        for name, value in different.items():
            setattr(user, name, value)
        _check(user)
        try:
            with transaction.atomic():
                user.save(update_fields=[*different])
        except IntegrityError as error:  # the check saw it free a moment ago
            raise Conflict("This user name was taken in this very moment. Choose another.") from error
        if "username" in different:
            follow_rename(user, before["username"])
        record(
            actor=caller,
            workspace_id=None,
            action="user.update",
            target_kind="user",
            target_id=user.id,
            summary=f"{user.email} changed {' and '.join(different)}.",
            changes={name: [before[name], value] for name, value in different.items()},
        )
    return user


def follow_rename(user: User, before: str) -> None:
    """Let everything that names the person follow the new user name; else the next holder would inherit it."""
    for carry_on in renames.values():
        carry_on(user, before)


def _check(user: User) -> None:
    try:
        user.full_clean(exclude=["password", "email"])
    except ValidationError as error:
        raise InvalidInput.from_problems(
            Problem("invalid", message, f"/{'username' if field == '__all__' else field}")
            for field, messages in error.message_dict.items()
            for message in messages
        ) from error
