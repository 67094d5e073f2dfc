import json
from typing import Any

from django.core.management.base import CommandParser

from prompts.evaluating import runs
from prompts.models import EvaluationRun
from vectors import commands


class Command(commands.Command):
    help = (
        "Work off the evaluation runs that nobody is on: new ones, and those whose worker is gone. With "
        "Celery workers that happens by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object a run")

    def handle(self, *args: object, **options: Any) -> None:
        waiting = runs.waiting()
        if not waiting and not options["json"]:
            self.stdout.write("No run waits.")
        for run_id in waiting:
            while runs.process(run_id):
                pass
            run = EvaluationRun.objects.get(pk=run_id)
            done = run.outputs.count()
            report = {
                "id": run.pk,
                "status": run.status,
                "done": done,
                "total": run.total,
                "problem": run.problem,
            }
            if options["json"]:
                self.stdout.write(json.dumps(report, ensure_ascii=False))
            else:
                self.stdout.write(f"{run.pk}  {run.status}, {done} of {run.total} items. {run.problem}")
