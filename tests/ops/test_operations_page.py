"""The operator's page against the commands: each one that it shows is taken as it stands there."""

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError

from afn_project.env import BASE_DIR

PAGE = (BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^python manage\.py (.+?)(?:\s+#.*)?$|`python manage\.py ([^`]+)`", PAGE, re.MULTILINE)
LINES = sorted({block or inline for block, inline in SHOWN})


def test_it_shows_commands() -> None:
    assert {"restore_database", "drill_backup", "doctor"} <= {line.split()[0] for line in LINES}


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_page_is_taken_as_it_stands_there(line: str) -> None:
    name, *arguments = shlex.split(line)
    app = get_commands()[name]
    command = app if isinstance(app, BaseCommand) else load_command_class(app, name)
    try:
        command.create_parser("manage.py", name).parse_args(arguments)
    except (CommandError, SystemExit) as error:
        pytest.fail(f"{line}: {error}")
