"""Make the first admin, once. The launcher calls it at every start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from brainops.accounts.models import Role, User
from brainops.accounts.services import people
from brainops.audit.actor import Actor
from brainops.core.errors import InvalidInput


class Command(BaseCommand):
    help = "Make the admin with a random password, printed once. Does nothing when the admin is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="admin@localhost.localdomain", help="Address to log in with.")
        parser.add_argument("--workspace", default="main", help="Workspace the admin owns.")
        parser.add_argument("--reset-password", action="store_true", help="Set and print a new password.")

    def handle(self, *args: Any, **options: Any) -> None:
        if User._meta.db_table not in connection.introspection.table_names():
            raise CommandError("There is no installation in this database yet. Start it once: `bin/brainops up`.")
        actor = Actor.system("create_admin")
        try:
            with transaction.atomic():
                is_new = not User.objects.filter(email=options["email"].lower()).exists()
                user = people.ensure_user(options["email"], by=actor, is_staff=True)
                workspace = people.ensure_workspace(options["workspace"], by=actor)
                people.ensure_membership(user, workspace, Role.OWNER, by=actor)
                wants_password = is_new or options["reset_password"]
                password = people.set_random_password(user, by=actor) if wants_password else ""
        except InvalidInput as error:
            raise CommandError(error.message) from error
        if password:
            self.stdout.write(f"login: {user.email}\npassword: {password}")
        else:
            self.stderr.write(f"{user.email} is there already. Use --reset-password for a new password.")
