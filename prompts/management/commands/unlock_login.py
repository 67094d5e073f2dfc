from typing import Any

from django.core.management.base import CommandParser

from prompts.accounts import find_author
from prompts.login_locks import unlock
from vectors import commands


class Command(commands.Command):
    help = "Let a user log in again who was locked out after wrong passwords."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="name or e-mail")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_author(options["user"], option="USER")
        count = unlock(user)
        self.stdout.write(
            f"{user.username} may log in from everywhere; {count} addresses were counted or locked."
        )
