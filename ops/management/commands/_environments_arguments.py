"""The arguments of `manage.py environments`: one subcommand for each action."""

import argparse

from django.core.management.base import CommandParser

WARNING = (
    "Whoever holds this token can run any SQL, and readfile() and writefile() are SQL functions of libSQL: "
    "it is access to the files of the server's user, even read-only. Give it to operators, not to programs."
)
EXAMPLES = """
examples:
  environments list
  environments fork prod feature-x          a copy of prod, as it is now
  AFN_ENVIRONMENT=feature-x manage.py …     work in it
  environments diff prod feature-x          which prompts, versions and fields differ
  environments merge feature-x prod --dry-run
  environments merge feature-x prod --prompt support/greeting
  environments delete feature-x
  environments freeze prod "Moving until 5 pm"
  environments token prod --read-only --hours 1
"""


def add_actions(parser: CommandParser) -> None:
    """Declare every action with what it takes; each explains itself with ``--help``."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do; each explains itself with --help"
    )

    def action(name: str, help: str, *names: str) -> argparse.ArgumentParser:
        one = actions.add_parser(name, help=help, description=help)
        for positional in names:
            one.add_argument(positional)
        one.add_argument("--json", action="store_true", help="print the result as JSON")
        return one

    action("list", "All environments, with what blocks their writes.")
    create = action("create", "A new database with AFN's tables.", "name")
    create.add_argument("--empty", action="store_true", help="without tables")
    action("fork", "A copy of an environment, as it is now.", "source", "name")
    delete = action("delete", "Remove an environment and all that is in it.", "name")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    action("freeze", "Block writes; whoever tries sees the reason.", "name", "reason")
    action("unfreeze", "Allow writes again.", "name")
    _add_diff(action("diff", "Prompts, versions and fields that differ between two.", "left", "right"))
    _add_merge(
        action(
            "merge",
            "Bring prompts of one environment over to another, all or none. Where both changed the same "
            "lines or fields since they were one, nothing is written and conflicts are shown (exit code 2).",
            "source",
            "target",
        )
    )
    token = action("token", f"A token for SQL. {WARNING}", "name")
    token.add_argument("--read-only", action="store_true", help="without the right to write")
    token.add_argument("--hours", type=float, default=24.0, help="how long it is good for (24)")
    token.add_argument("--long", action="store_true", help="allow more than 24 hours, up to 30 days")
    keys = action("keys", "The keys that sign tokens for a self-hosted server.")
    keys.add_argument("step", choices=("generate", "rotate", "retire"))


def _add_diff(diff: argparse.ArgumentParser) -> None:
    _add_prompts(diff)
    diff.add_argument("--full", action="store_true", help="show contents too, as diffs, and other fields")
    diff.add_argument("--exit-code", action="store_true", help="exit with 2 where anything differs")


def _add_merge(merge: argparse.ArgumentParser) -> None:
    _add_prompts(merge)
    winner = merge.add_mutually_exclusive_group()
    winner.add_argument(
        "--ours", dest="resolve", action="store_const", const="ours", help="let the target win each conflict"
    )
    winner.add_argument(
        "--theirs", dest="resolve", action="store_const", const="theirs", help="let the source win each one"
    )
    merge.add_argument("--dry-run", action="store_true", help="only say what would be written")
    merge.add_argument(
        "--author",
        metavar="LOGIN",
        help="a user of the target, who signs merged versions and owns prompts whose owner it does not have",
    )
    merge.add_argument("--message", default="", help="what to add to the message of merged versions")


def _add_prompts(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--prompt",
        action="append",
        metavar="NAME",
        help="only this prompt; may be given several times (default: all)",
    )
