"""Check a collection to the last bit, and mend it on request."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from vectors import commands, store
from vectors.progress import Meter
from vectors.upkeep.verifying import Report, repair, verify


class Command(commands.Command):
    help = (
        "Check items, embeddings, full text, codes, lists, and that rows find themselves. "
        "Exits with 1 where something is wrong and was not mended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("--repair", action="store_true", help="mend what can be mended, then check again")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        collection = store.get_collection(options["collection"])
        quiet = options["json"]
        with Meter("Checking rows", quiet=quiet) as meter:
            report = verify(collection, progress=meter.show)
        if options["repair"] and not report.is_sound:
            with Meter("Mending", quiet=quiet) as meter:
                report = repair(collection, report, progress=meter.show)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._show(collection.name, report, is_mended=options["repair"])
            if report.spare:
                which = f"{collection.name}, the space that is not searched"
                self._show(which, report.spare, is_mended=options["repair"])
        if not report.is_sound:
            hint = "" if options["repair"] else " Run it again with --repair."
            count = len(report.findings) + len(report.spare.findings if report.spare else ())
            raise CommandError(f"{count} faults in {collection.name!r}.{hint}")

    def _show(self, name: str, report: Report, *, is_mended: bool) -> None:
        for finding in report.repaired:
            self.stdout.write(f"mended: {finding.count:,} {finding.problem}")
        for finding in report.findings:
            some = ", ".join(finding.examples[:5])
            remedy = finding.remedy if is_mended else f"with --repair {finding.remedy}"
            self.stdout.write(f"{finding.check}: {finding.count:,} {finding.problem} ({some}); {remedy}")
        self.stdout.write(
            f"{name}: {report.rows:,} rows, {report.codes:,} codes, {report.listed:,} in lists; "
            f"{report.found:,} of {report.asked:,} rows found themselves"
        )
