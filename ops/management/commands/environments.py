"""Environments from the command line: one subcommand for each function of a provider."""

import argparse
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from ops.environments import tokens
from ops.environments.base import Environment, EnvironmentProblem, Provider
from ops.environments.current import get_provider
from ops.environments.opening import opened
from vectors import commands

WARNING = (
    "Whoever holds this token can run any SQL, and readfile() and writefile() are SQL functions of libSQL: "
    "it is access to the files of the server's user, even read-only. Give it to operators, not to programs."
)
EXAMPLES = """
examples:
  environments list
  environments fork prod feature-x          a copy of prod, as it is now
  AFN_ENVIRONMENT=feature-x manage.py …     work in it
  environments delete feature-x
  environments freeze prod "Moving until 5 pm"
  environments token prod --read-only --hours 1
"""


class Command(commands.Command):
    help = "List, create, fork, freeze and delete environments: whole databases of their own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = EXAMPLES
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(
            dest="action",
            required=True,
            metavar="ACTION",
            help="what to do; each explains itself with --help",
        )

        def action(name: str, help: str, *names: str) -> argparse.ArgumentParser:
            one = actions.add_parser(name, help=help, description=help)
            for positional in names:
                one.add_argument(positional)
            one.add_argument("--json", action="store_true", help="print the result as JSON")
            return one

        action("list", "All environments, with what blocks their writes.")
        create = action("create", "A new database with AFN's tables.", "name")
        create.add_argument("--empty", action="store_true", help="without tables")
        action("fork", "A copy of an environment, as it is now.", "source", "name")
        delete = action("delete", "Remove an environment and all that is in it.", "name")
        delete.add_argument("--yes", action="store_true", help="do not ask")
        action("freeze", "Block writes; whoever tries sees the reason.", "name", "reason")
        action("unfreeze", "Allow writes again.", "name")
        token = action("token", f"A token for SQL. {WARNING}", "name")
        token.add_argument("--read-only", action="store_true", help="without the right to write")
        token.add_argument("--hours", type=float, default=24.0, help="how long it is good for (24)")
        token.add_argument("--long", action="store_true", help="allow more than 24 hours, up to 30 days")
        keys = action("keys", "The keys that sign tokens for a self-hosted server.")
        keys.add_argument("step", choices=("generate", "rotate", "retire"))

    def handle(self, *args: Any, **options: Any) -> None:
        run: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            run(options)
        except EnvironmentProblem as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        environments = get_provider().list()
        if options["json"]:
            self._write_json([environment.as_json() for environment in environments])
            return
        for environment in environments:
            self.stdout.write(describe(environment))

    def _create(self, options: dict[str, Any]) -> None:
        provider = get_provider()
        environment = provider.create(options["name"])
        if not options["empty"]:
            with opened(provider, options["name"]) as alias:
                call_command("migrate", database=alias, interactive=False, verbosity=0)
            environment = provider.get(options["name"])
        self._show(environment, options, "is made")

    def _fork(self, options: dict[str, Any]) -> None:
        environment = get_provider().fork(options["source"], options["name"])
        self._show(environment, options, f"is a copy of {options['source']}")
        if not options["json"]:
            self.stdout.write(work_in(get_provider(), environment))

    def _delete(self, options: dict[str, Any]) -> None:
        provider, name = get_provider(), options["name"]
        provider.check_deletion(name)
        if not options["yes"]:
            self._confirm(name)
        provider.delete(name)
        if options["json"]:
            self._write_json({"deleted": name})
        else:
            self.stdout.write(f"{name} is deleted.")

    def _confirm(self, name: str) -> None:
        try:
            typed = input(f"All that is in {name} will be gone. Type its name to delete it: ")
        except EOFError:
            raise CommandError("Nothing was deleted: confirm with --yes where nobody can type.") from None
        if typed != name:
            raise CommandError(f"Nothing was deleted: expected {name}, got {typed[:80]!r}.")

    def _freeze(self, options: dict[str, Any]) -> None:
        environment = get_provider().freeze(options["name"], options["reason"])
        self._show(environment, options, f"is frozen: {environment.frozen}")

    def _unfreeze(self, options: dict[str, Any]) -> None:
        self._show(get_provider().unfreeze(options["name"]), options, "can be written again")

    def _token(self, options: dict[str, Any]) -> None:
        hours = options["hours"]
        if not 0 < hours <= 24 * 30:
            raise CommandError(f"--hours: expected more than 0 and up to 720, got {hours:g}.")
        provider = get_provider()
        provider.get(options["name"])
        token = provider.mint_token(
            options["name"],
            read_only=options["read_only"],
            lifetime=timedelta(hours=hours),
            allow_long=options["long"],
        )
        self.stderr.write(self.style.WARNING(WARNING))
        if options["json"]:
            self._write_json({"token": str(token.text), "expires_at": token.expires_at.isoformat()})
        else:
            self.stdout.write(str(token.text))
            self.stderr.write(f"It expires at {token.expires_at:%Y-%m-%d %H:%M} UTC and cannot be revoked.")

    def _keys(self, options: dict[str, Any]) -> None:
        folder = settings.AFN_TOKEN_KEYS
        public = folder / tokens.PUBLIC
        match options["step"]:
            case "generate":
                tokens.generate_keys(folder)
                told = f"Start the server with --auth-jwt-key-file {public}"
            case "rotate":
                tokens.rotate_keys(folder)
                told = f"Start the server anew now: until then it refuses tokens of the new key ({public})."
            case _:
                retired = tokens.retire_keys(folder)
                told = f"{retired} older keys are retired. Start the server anew to refuse their tokens."
        if options["json"]:
            self._write_json({"public": str(public), "next": told})
        else:
            self.stdout.write(told)

    def _show(self, environment: Environment, options: dict[str, Any], what: str) -> None:
        if options["json"]:
            self._write_json(environment.as_json())
        else:
            self.stdout.write(f"{environment.name} {what}.")

    def _write_json(self, content: Any) -> None:
        self.stdout.write(json.dumps(content, ensure_ascii=False))


def describe(environment: Environment) -> str:
    """One line of the list."""
    marks = [
        "current" * environment.is_current,
        "protected" * environment.is_protected,
        f"of {environment.parent}" if environment.parent else "",
        f"{environment.created_at:%Y-%m-%d %H:%M}" if environment.created_at else "",
        # With a plain space, for terminals.
        filesizeformat(environment.size).replace("\xa0", " ") if environment.size is not None else "",
        f"FROZEN: {environment.frozen}" if environment.frozen else "",
    ]
    return f"{environment.name:<24} {' · '.join(filter(None, marks))}".rstrip()


def work_in(provider: Provider, environment: Environment) -> str:
    """How to work in an environment from now on."""
    if provider.kind == "turso":
        return (
            f"Work in it with TURSO_DATABASE_URL={environment.address}, and TURSO_AUTH_TOKEN from "
            f"`manage.py environments token {environment.name}`."
        )
    return f"Work in it with AFN_ENVIRONMENT={environment.name} before any command."
