import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from prompts.accounts import find_author
from prompts.exchange.git_log import import_git
from prompts.exchange.importing import FORMATS, MARKDOWN, ImportResult, import_file
from prompts.exchange.mlflow import import_mlflow
from prompts.exchange.problems import ImportFileError
from vectors import commands
from vectors.errors import EmbedderError
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Import prompts from a file (CSV, JSONL, JSON, Langfuse's JSON), a folder of Markdown files, the git "
        "log of one, or an MLflow server. What is there already changes nothing, so a file can be imported "
        "again. Exit code 1 if a row was refused; the others are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="file or folder; rows have title (or act), content (or prompt), …",
        )
        parser.add_argument(
            "--format",
            choices=(*FORMATS, MARKDOWN),
            default="",
            help="the format, whatever the file's name says",
        )
        parser.add_argument("--git", action="store_true", help="make versions of a folder's commits")
        parser.add_argument("--mlflow", metavar="URI", help="import from this MLflow tracking server instead")
        parser.add_argument("--user", help="author: a user name or e-mail (default: the first superuser)")
        parser.add_argument("--source", default="", help="stored with the prompts (default: the file's name)")
        parser.add_argument("--strict", action="store_true", help="write nothing if a row is refused")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print the counts and refusals as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self._import(options)
        except ImportFileError as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(
                "The prompts were changed by somebody else meanwhile. Run the import again: what is there "
                "already stays."
            ) from error
        except EmbedderError as error:
            raise CommandError(
                f"The prompts are saved, but not embedded: {error} Then run `manage.py embed_prompts`."
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(result), ensure_ascii=False))
        else:
            self.stdout.write(
                f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged, "
                f"{len(result.failed)} refused" + (" (dry run)" if options["dry_run"] else "")
            )
            for row in result.failed:
                self.stderr.write(f"line {row.line}: {row.field}: expected {row.expected}, got {row.got}")
            for note in result.notes:
                self.stderr.write(note)
        if result.failed:
            raise SystemExit(1)

    def _import(self, options: dict[str, Any]) -> ImportResult:
        path, uri, is_git = options["file"], options["mlflow"], options["git"]
        if (path is None) == (uri is None):
            raise CommandError("Expected a file or folder, or --mlflow with the address of a server.")
        if ((uri or is_git) and options["format"]) or (uri and is_git):
            raise CommandError("--format, --git, --mlflow: expected one of them at most.")
        quiet = options["json"] or options["verbosity"] == 0
        user = find_author(options["user"])
        common: dict[str, Any] = {
            "source": options["source"],
            "strict": options["strict"],
            "dry_run": options["dry_run"],
            "track": _track(quiet),
        }
        if uri:
            return import_mlflow(uri, user, **common)
        if is_git:
            return import_git(path, user, **common)
        watch: Callable[[Iterable[Any]], Iterable[Any]] = lambda items: track(items, "Reading", quiet=quiet)  # noqa: E731
        return import_file(path, user, format=options["format"], watch=watch, **common)


def _track(quiet: bool) -> Callable[[Sequence[Any], str], Iterable[Any]]:
    return lambda rows, label: track(rows, label, len(rows), quiet=quiet)
