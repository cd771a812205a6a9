"""Help somebody whose phone and recovery codes are lost. Make sure first that it is really them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from brainops.accounts.models import User
from brainops.accounts.services import second_factors
from brainops.audit.actor import Actor


class Command(BaseCommand):
    help = "Remove the second factor of a user, so that the password alone logs them in until they set a new one up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="E-mail address or user name.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["user"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {options['user']!r}.") from error
        second_factors.remove_all(user, by=Actor.system("remove_second_factor"))
        self.stdout.write(f"{user.email} logs in without a second factor now.")
