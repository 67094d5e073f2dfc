import json
from typing import Any

from django.core.management.base import CommandParser

from prompts.models import Prompt, Status
from prompts.search import PromptSearch, search_prompts
from vectors import commands
from vectors.search import MODES


class Command(commands.Command):
    help = "Search the prompts by meaning and by words, in English and Japanese."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("query", help="what you look for, in your own words")
        parser.add_argument("-k", type=int, default=5, help="how many results, 1 to 1000 (default: 5)")
        parser.add_argument("--mode", default="hybrid", help=f"one of {', '.join(MODES)} (default: hybrid)")
        parser.add_argument("--status", help=f"only prompts that are {' or '.join(Status.values)}")
        parser.add_argument("--tag", help="only prompts with this tag")
        parser.add_argument("--language", help="only prompts in this language, such as en or ja")
        parser.add_argument("--folder", help="only prompts in this folder or below it")
        parser.add_argument("--json", action="store_true", help="print everything about the results as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("k", "mode", "status", "tag", "language", "folder")
        found = search_prompts(options["query"], **{name: options[name] for name in names})
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
        else:
            self._print(found)

    def _print(self, found: PromptSearch) -> None:
        for number, hit in enumerate(found.results, start=1):
            distance = "" if hit.distance is None else f"  distance {hit.distance:.3f}"
            heading = f"{number}. {hit.prompt.title}"
            self.stdout.write(self.style.MIGRATE_HEADING(heading) + f"  {hit.prompt.name}{distance}")
            words = " ".join(hit.snippet.text.split())
            self.stdout.write(f"   {'… ' * hit.snippet.before}{words}{' …' * hit.snippet.after}")
        if not found.results and Prompt.objects.exists():
            self.stdout.write("Nothing matches. Try other words, another --mode, or fewer filters.")
        elif not found.results:
            self.stdout.write(
                "Nothing found. Import prompts with `manage.py import_prompts FILE`, or bring the index up "
                "to date with `manage.py embed_prompts`."
            )
        count = len(found.results)
        self.stdout.write(f"{count} result{'' if count == 1 else 's'} in {found.took_ms:.1f} ms")
