"""User: a person who logs in by e-mail address or user name."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower, Now


def same_username(name: str, *, of: str = "") -> models.Q:
    """The user of this name, whatever the case; `of` leads to the user, such as `user__`.

    As the unique constraint compares them: in capitals "ı" and "i" are one letter, and somebody could take a name that
    is found together with another person's.
    """
    return models.Q(**{f"{of}username__lower": Lower(models.Value(name))})


class UserManager(BaseUserManager["User"]):
    """Makes users. Addresses are kept in lower case, user names as typed; both are compared without case."""

    def create_user(self, email: str, password: str | None = None, *, username: str = "", **fields: Any) -> User:
        """Create a user. Without a password nobody can log in as this user; API keys still work."""
        email = email.strip().lower()
        user = self.model(email=email, username=username.strip() or email.partition("@")[0], **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user who may do everything in the admin."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a user by e-mail address or user name, whatever the case. Raises User.DoesNotExist."""
        name = username or ""
        return self.get(email=name.lower()) if "@" in name else self.get(same_username(name))


class User(AbstractBaseUser, PermissionsMixin):
    """A person.

    `is_staff` opens the admin; the right to act in a workspace comes from a Membership only. `token_version` stands in
    every access token: raising it ends all of them at the next request.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True, help_text="In lower case.")
    username = models.CharField(
        max_length=150, validators=[RegexValidator(r"\A[\w.+-]+\Z", "Letters, digits and . + - _ only.")]
    )
    name = models.CharField(max_length=150, blank=True, help_text="As colleagues know this person.")
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting: nothing works any more.")
    is_staff = models.BooleanField(default=False, help_text="May open this admin.")
    token_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username"]

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
            models.UniqueConstraint(Lower("username"), name="user_username"),
            # else somebody could take another person's address as a user name
            models.CheckConstraint(condition=~models.Q(username__contains="@"), name="user_username_is_no_address"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """The name shown to others."""
        return self.name or self.username

    def get_short_name(self) -> str:
        """The name in the corner of a page."""
        return self.username

    def set_password(self, raw_password: str | None) -> None:
        """Set the password and end every token that was issued under the old one (saved with the row)."""
        super().set_password(raw_password)
        self.token_version += 1

    def get_session_auth_hash(self) -> str:
        """What a session of the admin keeps of its user: it ends with all other logins, not only with the password."""
        return f"{super().get_session_auth_hash()}.{self.token_version}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the older secret keys of the settings."""
        return (f"{one}.{self.token_version}" for one in super().get_session_auth_fallback_hash())


User._meta.get_field("username").register_lookup(Lower)  # for `same_username`
