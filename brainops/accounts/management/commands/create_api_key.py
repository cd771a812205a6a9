"""Make an API key, and the user, workspace and membership it needs. For scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from brainops.accounts import policy
from brainops.accounts.models import Role
from brainops.accounts.services import api_keys, people
from brainops.audit.actor import Actor
from brainops.core import clock
from brainops.core.errors import InvalidInput


class Command(BaseCommand):
    help = "Make an API key. Makes the user, workspace and membership when missing. Prints only the key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="E-mail address or user name.")
        parser.add_argument("--workspace", required=True, help="Slug or name.")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--scopes", nargs="+", default=[policy.ALL_SCOPES], help="Default: all of the role.")
        parser.add_argument("--name", default="command line", help="What uses the key.")
        parser.add_argument("--days", type=int, default=0, help="Days until it expires; 0 = never.")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("create_api_key")
        role = Role(options["role"])
        # commas are welcome too: --scopes runs:read,runs:execute
        scopes = [scope for text in options["scopes"] for scope in text.split(",") if scope]
        expires_at = clock.now() + timedelta(days=options["days"]) if options["days"] > 0 else None
        try:
            with transaction.atomic():
                user = people.ensure_user(options["user"], by=actor)
                workspace = people.ensure_workspace(options["workspace"], by=actor)
                people.ensure_membership(user, workspace, role, by=actor)
                new = api_keys.issue(
                    user,
                    workspace,
                    name=options["name"],
                    role=role,
                    scopes=policy.check_scopes(scopes),
                    expires_at=expires_at,
                    by=actor,
                )
        except InvalidInput as error:
            raise CommandError(error.message) from error
        self.stdout.write(new.text)
