import json
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from prompts.accounts import find_author
from prompts.errors import EvidenceMissing, RegistryProblem
from prompts.labels import move_label
from prompts.models import Prompt, User
from prompts.ownership import check_owner
from vectors import commands

_FIGURES: Final = ("test", "n", "p", "estimate", "ci")
_MOVE: Final = "prompts.change_promptlabel"


class Command(commands.Command):
    help = (
        "Have a label of a prompt serve a version, on the evidence that the label's policy asks for. Exit "
        "code 1 if that is missing; the figures are printed all the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name or id of the prompt")
        parser.add_argument("label", help="such as production")
        parser.add_argument("version", type=int, help="number of the version")
        parser.add_argument("--reason", default="", help="kept in the log of the label")
        parser.add_argument("--user", help="who moves it, and has to be allowed to (default: the operator)")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        prompt = Prompt.objects.by_ref(options["name"])
        if prompt is None:
            raise CommandError(f"name: expected the name or id of a prompt, got {options['name'][:255]!r}.")
        actor = find_author(options["user"]) if options["user"] else None
        refusal = ""
        try:
            if actor:
                _check_allowed(actor, prompt)
            moved = move_label(
                prompt, options["label"], options["version"], actor=actor, reason=options["reason"]
            )
            is_moved, evidence = moved.move is not None, moved.evidence or {}
        except EvidenceMissing as missing:
            is_moved, evidence, refusal = False, missing.evidence, str(missing)
        except RegistryProblem as problem:
            raise CommandError(str(problem)) from problem
        figures = {name: evidence.get(name) for name in _FIGURES}
        if options["json"]:
            self.stdout.write(json.dumps({"moved": is_moved, **figures}))
        else:
            what = "moved to" if is_moved else "not moved to" if refusal else "serves already"
            self.stdout.write(f"{options['label']} of {prompt.name}: {what} version {options['version']}")
            if evidence:
                self.stdout.write("  ".join(f"{name} {_shown(value)}" for name, value in figures.items()))
        if refusal:
            self.stderr.write(refusal)
            raise SystemExit(1)


def _check_allowed(actor: User, prompt: Prompt) -> None:
    """What the API asks of who moves a label; the operator, who names nobody, may move all of them."""
    if not actor.has_perm(_MOVE):
        raise CommandError(f"--user: expected one with the permission {_MOVE}, got {actor.username}.")
    check_owner(actor, prompt)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else str(value)
