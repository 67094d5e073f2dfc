import json
from typing import Any

from django.core.management.base import CommandParser

from prompts.accounts import create_user
from prompts.roles import ROLES
from vectors import commands


class Command(commands.Command):
    help = "Make a user with a role. The password is printed once; it can be changed in the console."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="NAME", help="letters, digits and @ . + - _ only")
        parser.add_argument("--email", required=True, help="an address of the user's own; also logs in")
        parser.add_argument("--role", required=True, choices=ROLES, help="what the user may do")
        parser.add_argument("--json", action="store_true", help="print name, role and password as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        user, password = create_user(options["username"], options["email"], options["role"])
        if options["json"]:
            made = {"username": user.username, "email": user.email, "role": options["role"]}
            self.stdout.write(json.dumps({**made, "password": password}))
        else:
            self.stdout.write(f"{user.username} is in the group {ROLES[options['role']]}.")
            self.stdout.write(f"Password: {password}\nIt is not stored: keep it now.")
