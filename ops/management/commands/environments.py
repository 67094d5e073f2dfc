"""Environments from the command line: one subcommand for each thing that can be done with them."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from ops.admin_log import audit, freeze
from ops.environments import reports, tokens
from ops.environments.base import Environment, EnvironmentProblem
from ops.environments.current import get_provider
from ops.environments.details import list_places
from ops.environments.opening import create_with_tables
from ops.environments.pairs import opened_pair
from prompts.accounts import find_author
from prompts.database_pairs import MergeProblem
from prompts.merge_results import MergeConflict
from vectors import commands

from ._environments_arguments import WARNING, add_actions

FOUND = 2  # the exit code for conflicts, and for differences where they were asked for


class Command(commands.Command):
    help = (
        "List, create, fork, freeze, compare, merge and delete environments: whole databases of their own. "
        "Exit code 1 for a problem, 2 for conflicts of a merge."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_actions(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run: Callable[[dict[str, Any]], None] = getattr(self, f"_{options['action']}")
        try:
            run(options)
        except (EnvironmentProblem, MergeProblem) as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        environments = get_provider().list()
        if options["json"]:
            self._write_json([environment.as_json() for environment in environments])
            return
        for environment in environments:
            self.stdout.write(reports.describe(environment))

    def _create(self, options: dict[str, Any]) -> None:
        provider, name = get_provider(), options["name"]
        self._progress(f"Making {name}")
        environment = provider.create(name) if options["empty"] else create_with_tables(provider, name)
        audit("created", name)
        self._show(environment, options, "is made")

    def _fork(self, options: dict[str, Any]) -> None:
        self._progress(f"Copying {options['source']}")
        environment = get_provider().fork(options["source"], options["name"])
        audit("forked", options["name"], source=options["source"])
        self._show(environment, options, f"is a copy of {options['source']}")
        if not options["json"]:
            self.stdout.write(reports.work_in(get_provider(), environment))

    def _delete(self, options: dict[str, Any]) -> None:
        provider, name = get_provider(), options["name"]
        provider.check_deletion(name)
        if not options["yes"]:
            self._confirm(name)
        provider.delete(name)
        audit("deleted", name)
        if options["json"]:
            self._write_json({"deleted": name})
        else:
            self.stdout.write(f"{name} is deleted.")

    def _confirm(self, name: str) -> None:
        try:
            # Not as the prompt of `input`: that goes to stdout, where JSON is read.
            self.stderr.write(f"All that is in {name} will be gone. Type its name to delete it: ", ending="")
            typed = input()
        except EOFError:
            self.stderr.write("")
            raise CommandError("Nothing was deleted: confirm with --yes where nobody can type.") from None
        if typed != name:
            raise CommandError(f"Nothing was deleted: expected {name}, got {typed[:80]!r}.")

    def _freeze(self, options: dict[str, Any]) -> None:
        environment = freeze(get_provider(), options["name"], options["reason"])
        self._show(environment, options, f"is frozen: {environment.frozen}")

    def _unfreeze(self, options: dict[str, Any]) -> None:
        environment = get_provider().unfreeze(options["name"])
        audit("unfrozen", options["name"])
        self._show(environment, options, "can be written again")

    def _diff(self, options: dict[str, Any]) -> None:
        left, right = options["left"], options["right"]
        with opened_pair(get_provider(), left, right) as pair:
            found = pair.compare(options["prompt"])
            details = pair.read_details(list_places(found) if options["full"] else [])
            if options["json"]:
                full = {"details": [one.as_json(left, right) for one in details]} if options["full"] else {}
                self._write_json(found.as_json() | full)
            else:
                self._write_lines(reports.describe_comparison(found))
                for detail in details:
                    self._write_lines(["", *reports.describe_detail(detail, left, right)])
        if options["exit_code"] and not found.is_same:
            raise SystemExit(FOUND)

    def _merge(self, options: dict[str, Any]) -> None:
        source, target, login = options["source"], options["target"], options["author"]
        with opened_pair(get_provider(), source, target) as pair:
            self._progress(f"Comparing {source} and {target}")
            where = f"--author, in {target}"
            author = find_author(login, option=where, using=pair.right_alias) if login else None
            try:
                result = pair.merge(
                    options["prompt"],
                    resolve=options["resolve"],
                    author=author,
                    dry_run=options["dry_run"],
                    message=options["message"],
                )
            except MergeConflict as conflict:
                result = conflict.result
            else:
                if not options["dry_run"]:
                    audit("merged", target, source=source, prompts=len(result.prompts))
        if options["json"]:
            self._write_json(result.as_json())
        else:
            self._write_lines(reports.describe_merge(result))
        if result.conflicts and not options["json"]:
            raise CommandError(reports.describe_conflicts(result), returncode=FOUND)
        if result.conflicts:
            raise SystemExit(FOUND)

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
        audit("access_granted", options["name"], hours=hours, read_only=options["read_only"])
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

    def _progress(self, step: str) -> None:
        """For who waits before a terminal."""
        if self.stderr.isatty():
            self.stderr.write(f"{step} …")

    def _write_lines(self, lines: Any) -> None:
        for line in lines:
            self.stdout.write(line)

    def _write_json(self, content: Any) -> None:
        self.stdout.write(json.dumps(content, ensure_ascii=False))
