"""`.env` and its encrypted form from the command line.

Not a `vectors.commands.Command`: `manage.py` runs it without the settings, which are read from these files
and may not start before it has done its work.
"""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from afn_project import env
from afn_project.env_texts import NO_VARIABLE, find_text_problems, known_names
from afn_project.secure_env import changing, editing
from afn_project.secure_env.keys import (
    KEY,
    KEY_FILE,
    FileStore,
    Store,
    VariableStore,
    find_store,
    find_target,
)
from afn_project.secure_env.problems import SecretProblem
from afn_project.secure_env.reading import ENCRYPTED, PLAIN
from afn_project.secure_env.status import Status, read_status

from ._secure_env_arguments import add_actions


class Command(BaseCommand):
    help = "Keep secrets encrypted: .env.enc in place of .env. No value is ever printed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_actions(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(env.BASE_DIR, options)
        except SecretProblem as error:
            raise CommandError(str(error)) from None

    def _encrypt(self, folder: Path, options: dict[str, Any]) -> None:
        target = _target(folder, options)
        used = find_store(folder)
        if target and isinstance(used, VariableStore | FileStore):
            raise CommandError(
                f"The environment names another key, {used.name}, which the next start would take. Leave the "
                f"option out, unset {KEY} and {KEY_FILE}, or change the key with `secure_env rotate`."
            )
        store = target or used
        done = changing.encrypt(folder, store, force=options["force"], remove_plain=options["remove_plain"])
        if done.is_new:
            self.stdout.write(f"{folder / ENCRYPTED} is written, and has opened again.")
        else:
            self.stdout.write(f"{folder / ENCRYPTED} says the same already.")
        if done.key_made:
            self.stdout.write(f"A new key is in {store.name}.")
        self._tell_place(target)
        if done.plain_removed:
            self.stdout.write(f"{folder / PLAIN} is removed.")
        else:
            self.stdout.write(
                f"{folder / PLAIN} is still there in plain text, and no longer read: `secure_env encrypt "
                "--remove-plain` removes it."
            )

    def _decrypt(self, folder: Path, options: dict[str, Any]) -> None:
        changing.decrypt(
            folder, find_store(folder), force=options["force"], remove_encrypted=options["remove_encrypted"]
        )
        self.stdout.write(f"{folder / PLAIN} is written, in plain text and for you alone.")
        if options["remove_encrypted"]:
            self.stdout.write(f"{folder / ENCRYPTED} is removed.")
        else:
            self.stdout.write(
                f"{folder / ENCRYPTED} is still what is read. `secure_env encrypt --force` takes changes "
                "over, `secure_env decrypt --remove-encrypted` removes it."
            )

    def _edit(self, folder: Path, options: dict[str, Any]) -> None:
        def decide(problems: list[str]) -> editing.Decision:
            for problem in problems:
                self.stderr.write(f"  {problem}")
            return "save" if options["force"] else self._ask()

        outcome = editing.edit(folder, find_store(folder), check=find_text_problems, decide=decide)
        if outcome == "kept":
            raise CommandError("Nothing is changed: mend what is named above, or keep it with --force.")
        if outcome == "unchanged":
            self.stdout.write("Nothing is changed.")
            return
        self.stdout.write(f"{folder / ENCRYPTED} is written. Processes read it at their next start.")
        if (folder / PLAIN).exists():
            self.stderr.write(f"{folder / PLAIN} lies beside it in plain text, and is not read.")

    def _ask(self) -> editing.Decision:
        if not sys.stdin.isatty():
            return "keep"
        answers: dict[str, editing.Decision] = {"e": "again", "s": "save", "k": "keep"}
        while True:
            self.stderr.write("[e]dit again, [s]ave as it is, [k]eep the old one? ", ending="")
            try:
                answer = input().strip().lower()[:1]
            except EOFError:
                return "keep"
            if answer in answers:
                return answers[answer]

    def _rotate(self, folder: Path, options: dict[str, Any]) -> None:
        target = _target(folder, options)
        changing.rotate(folder, find_store(folder), target)
        self.stdout.write(f"{folder / ENCRYPTED} is encrypted with another key than before.")
        self._tell_place(target)

    def _tell_place(self, target: Store | None) -> None:
        """What the environment has to say from now on, if not what it says already."""
        if isinstance(target, FileStore):
            self.stdout.write(
                f"Set {KEY_FILE}={target.path} wherever AFN starts, and leave {KEY} unset. Keep a copy of "
                "that file elsewhere: without it nothing can be decrypted."
            )
        elif target is not None:
            self.stdout.write(f"Leave {KEY} and {KEY_FILE} unset wherever AFN starts: the keyring is read.")

    def _status(self, folder: Path, options: dict[str, Any]) -> None:
        status = read_status(folder, known_names())
        if options["json"]:
            self.stdout.write(json.dumps(status.as_json(), ensure_ascii=False))
        else:
            self._show(status, folder)
        if status.problem and options["json"]:
            raise SystemExit(1)
        if status.problem:
            raise CommandError(status.problem)

    def _show(self, status: Status, folder: Path) -> None:
        read = {"encrypted": folder / ENCRYPTED, "plain": folder / PLAIN, "none": "no file"}[status.form]
        self.stdout.write(f"Read: {read}; variables of the environment win.")
        if status.encrypted:
            self.stdout.write(f"Key: {status.key_source}.")
        if status.encrypted and status.plain:
            self.stdout.write(f"{folder / PLAIN} lies beside it in plain text, and is not read.")
        if status.variables:
            self.stdout.write(f"Variables: {', '.join(status.variables)}.")
        for line in status.unnamed_lines:
            self.stdout.write(f"Line {line}: {NO_VARIABLE}.")


def _target(folder: Path, options: dict[str, Any]) -> Store | None:
    return find_target(folder, key_file=options["key_file"], keyring=options["keyring"])
