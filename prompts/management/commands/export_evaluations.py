from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.exchange.evaluations import export_evaluations
from prompts.models import Prompt
from vectors import commands


class Command(commands.Command):
    help = "Print the evaluations of versions as JSON Lines, which import_evaluations reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prompt", help="only of the prompt of this name")
        parser.add_argument("--name", help="only of this score; empty: the main one")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["prompt"]
        if name is not None and not Prompt.everything.filter(name=name).exists():
            raise CommandError(f"--prompt: expected the name of a prompt, got {name[:255]!r}.")
        for line in export_evaluations(name=options["name"], prompt=options["prompt"]):
            self.stdout.write(line, ending="")
