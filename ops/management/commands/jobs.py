import json
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import CommandError
from django.db.models import QuerySet

from ops.environments.base import EnvironmentProblem
from ops.jobs import changing, registry
from ops.jobs.inline import run_here
from ops.jobs.models import Job, JobState
from ops.jobs.schemas import JobOut
from prompts.errors import RegistryProblem
from vectors import commands
from vectors.commands import json_option
from vectors.progress import Meter

MAX_LIMIT: Final = 10_000


class Command(commands.Command):
    help = "List, show, cancel, try again or run jobs: what takes long and is done in the background."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", help="list (default), show, …")
        parser.set_defaults(action="list", kind=None, state=None, limit=20, json=False)
        found = actions.add_parser("list", help="the newest jobs")
        found.add_argument("--kind", help="only of this kind")
        found.add_argument("--state", help=f"only {', '.join(JobState.values)}")
        found.add_argument("--limit", type=int, default=20, help="how many (default: 20)")
        _with_json(found)
        for name, meaning in (
            ("show", "all of one job"),
            ("cancel", "end one that waits now, one that runs at its next sign of progress"),
            ("retry", "try one again that failed or was cancelled"),
        ):
            one = actions.add_parser(name, help=meaning)
            one.add_argument("id", help="id of a job")
            _with_json(one)
        run = actions.add_parser("run", help="do a job here and now, and keep its row")
        run.add_argument("kind", help="one of " + ", ".join(kind.name for kind in registry.kinds()))
        run.add_argument("--arguments", metavar="JSON", help='such as {"collection": "prompts"}')
        _with_json(run)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except RegistryProblem as problem:
            raise CommandError(str(problem)) from problem

    def _list(self, options: dict[str, Any]) -> None:
        if not 1 <= options["limit"] <= MAX_LIMIT:
            raise CommandError(f"--limit: expected 1 to {MAX_LIMIT:,}, got {options['limit']}.")
        if options["state"] not in (None, *JobState.values):
            raise CommandError(f"--state: expected {', '.join(JobState.values)}, got {options['state']!r}.")
        rows: QuerySet[Job] = Job.objects.all()
        if options["kind"]:
            rows = rows.filter(kind=options["kind"])
        if options["state"]:
            rows = rows.filter(state=options["state"])
        for job in rows[: options["limit"]]:
            self.stdout.write(_as_json(job) if options["json"] else _as_line(job))

    def _show(self, options: dict[str, Any]) -> None:
        self._print(_find(options["id"]), options)

    def _cancel(self, options: dict[str, Any]) -> None:
        self._print(changing.cancel(_find(options["id"]), None), options)

    def _retry(self, options: dict[str, Any]) -> None:
        self._print(changing.retry(_find(options["id"]), None), options)

    def _run(self, options: dict[str, Any]) -> None:
        arguments = json_option("--arguments", options["arguments"])
        if not isinstance(arguments, dict | None):
            raise CommandError(f"--arguments: expected a JSON object, got {options['arguments'][:80]}.")
        kind = registry.get(options["kind"])
        with Meter(kind.title, quiet=options["json"]) as meter:
            try:
                job = run_here(kind.name, arguments, meter=meter)
            except EnvironmentProblem as problem:  # of backups and environments: it says what to do
                raise CommandError(str(problem)) from problem
        self._print(job, options)
        if job.state == JobState.CANCELLED:
            raise CommandError("Somebody has cancelled it.")

    def _print(self, job: Job, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(_as_json(job))
            return
        self.stdout.write(_as_line(job))
        for name, value in (("arguments", job.arguments), ("result", job.result)):
            if value:
                self.stdout.write(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def _with_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


def _find(key: str) -> Job:
    job = Job.objects.filter(pk=key).first()
    if job is None:
        raise CommandError(f"id: expected the id of a job, got {key[:64]!r}. `jobs list` shows some.")
    return job


def _as_json(job: Job) -> str:
    return json.dumps(JobOut.from_orm(job).model_dump(mode="json"), ensure_ascii=False)


def _as_line(job: Job) -> str:
    of = f"{job.done:,}" if job.total is None else f"{job.done:,}/{job.total:,}"
    took = "" if job.seconds is None else f"{job.seconds:,.1f} s"
    parts = [
        job.pk,
        f"{job.created_at:%Y-%m-%d %H:%M:%S}",
        job.kind,
        job.state,
        f"{of} {job.message}".strip() if job.done or job.message else "",
        f"attempt {job.attempts} of {job.max_attempts}",
        took,
        job.cause,
    ]
    return "  ".join(part for part in parts if part)
