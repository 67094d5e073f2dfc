"""Change the embedding model of a collection while it is in use."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from vectors import commands
from vectors.embedders import names
from vectors.migrating import changing
from vectors.migrating.estimating import estimate
from vectors.migrating.filling import BATCH, Filling, Pace
from vectors.migrating.models import EmbeddingMigration
from vectors.migrating.printing import described, estimate_lines, state_lines, verdict_lines
from vectors.migrating.verdict import judge
from vectors.models import Collection
from vectors.progress import track


class Command(commands.Command):
    help = (
        "Change the embedding model of a collection without a pause: fill a second space beside the one in "
        "use, compare the two, switch, and go back if need be. Both are kept current until --drop. Filling "
        "can be stopped and started again at any time. Exit code 1 if the verdict is against the change, or "
        "rows are missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="name of the collection")
        parser.add_argument("--embedder", help="the new embedder, such as " + ", ".join(names()))
        parser.add_argument("--model", default="", help="its model (default: what its settings say)")
        parser.add_argument("--dimensions", type=int, help="its dimensions, where it offers several")
        parser.add_argument("--rate", type=float, metavar="N", help="embed at most N texts a second")
        parser.add_argument(
            "--batch", type=int, default=BATCH, metavar="N", help=f"texts a batch (default: {BATCH})"
        )
        parser.add_argument("--price", type=float, help="what a million tokens cost, for the estimate")
        step = parser.add_mutually_exclusive_group()
        for name, meaning in (
            ("start", "estimate the cost, then fill the second space, or go on with it (default)"),
            ("verdict", "compare relevance, answers, speed and size of both spaces"),
            ("switch", "search in the new space from now on"),
            ("rollback", "search in the old space again"),
            ("drop", "delete the space that is not searched: the migration is over"),
            ("status", "say where the migration stands"),
        ):
            step.add_argument(
                f"--{name}", dest="step", action="store_const", const=name, default="start", help=meaning
            )
        parser.add_argument(
            "--force", action="store_true", help="switch without a verdict, or with rows missing"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        collection = changing.named(options["collection"])
        if options["step"] == "start":
            return self._start(collection, options)
        migration = changing.get(collection)
        if options["step"] == "verdict":
            self._verdict(migration, options)
        elif options["step"] == "drop":
            self._drop(migration, options)
        else:
            if options["step"] == "switch":
                changing.switch(migration, force=options["force"])
            elif options["step"] == "rollback":
                changing.roll_back(migration, force=options["force"])
            self._show(migration, options)
        return None

    def _start(self, collection: Collection, options: Any) -> None:
        change, target = self._change(collection, options)
        alias = str(collection._state.db)
        pace = Pace(options["batch"], options["rate"])
        cost = estimate(
            collection,
            target,
            change.embedder,
            alias,
            batch=pace.batch,
            rate=pace.rate,
            price=options["price"],
        )
        if not options["json"]:
            self.stdout.write("\n".join(estimate_lines(cost, change)))
        if cost.rows:
            self._confirm(f"Embed {cost.rows:,} texts?", options)
        migration = changing.start(change, cost.as_json())
        filling = Filling(migration, alias, pace)
        for _ in track(filling.rows(), "Embedding", len(filling), quiet=options["json"]):
            pass
        done = filling.done
        if options["json"]:
            result = {
                "collection": collection.name,
                "estimate": cost.as_json(),
                "written": done.written,
                "deleted": done.deleted,
                "refused": done.refused,
                "rows_missing": done.lacking,
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            for key, reason in done.refused.items():
                self.stderr.write(f"{key}: {reason}")
            self.stdout.write(f"{collection.name}: {done.written:,} written, {done.lacking:,} missing.")
        if done.lacking:
            raise CommandError(
                f"{done.lacking:,} rows are missing in the second space"
                + (", as their texts cannot be embedded." if done.refused else ". Start again.")
            )
        if not options["json"]:
            self.stdout.write("Compare the spaces with --verdict." if not migration.is_switched else "Done.")

    def _change(self, collection: Collection, options: Any) -> tuple[changing.Change, Collection | None]:
        """What is asked for, or where nothing is, the migration that goes on; and the space it fills."""
        migration = changing.find(collection)
        if options["embedder"]:
            change = changing.plan(collection, options["embedder"], options["model"], options["dimensions"])
        elif migration is not None:
            change = changing.plan(collection, *changing.space_of(migration.spare))
        else:
            raise CommandError(f"Name the new embedder: --embedder {' | '.join(names())}")
        return change, migration.spare if migration else None

    def _verdict(self, migration: EmbeddingMigration, options: Any) -> None:
        verdict = judge(
            migration, wrap=lambda judged: track(judged, "Searching", len(judged), quiet=options["json"])
        )
        if options["json"]:
            self.stdout.write(json.dumps(verdict, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(verdict_lines(verdict)))
        if verdict["advice"] in ("stay", "incomplete"):
            raise SystemExit(1)

    def _drop(self, migration: EmbeddingMigration, options: Any) -> None:
        name, which = migration.live.name, "old" if migration.is_switched else "new"
        self._confirm(f"Delete the {which} space of {name}, in {described(migration.spare)}?", options)
        changing.drop(migration)
        if options["json"]:
            self.stdout.write(json.dumps({"collection": name, "dropped": which}))
        else:
            self.stdout.write(f"{name} is in {described(migration.live)}; the {which} space is gone.")

    def _show(self, migration: EmbeddingMigration, options: Any) -> None:
        state = changing.state_of(migration)
        if options["json"]:
            self.stdout.write(json.dumps(state, ensure_ascii=False))
            return
        self.stdout.write("\n".join(state_lines(state)))

    def _confirm(self, question: str, options: Any) -> None:
        if options["yes"]:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nothing was done: confirm with --yes where nobody can type.")
        self.stderr.write(f"{question} [y/N] ", ending="")
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was done.")
