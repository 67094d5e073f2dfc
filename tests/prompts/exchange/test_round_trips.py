"""A registry that is exported and imported into an empty database is what it was, to every row."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from prompts.exchange.exporting import export_prompts
from prompts.exchange.importing import ImportResult, import_file
from prompts.exchange.registry import Selection
from prompts.models import Prompt, User
from tests.prompts.exchange.registries import clear, everything, operations, perform

pytestmark = pytest.mark.django_db
EXAMPLES = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def users(user: User) -> list[User]:
    return [user, User.objects.create_user("他", "ta@example.com")]


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.failed)


def there_and_back(path: Path, user: User, **options: Any) -> None:
    before, total = everything(), Prompt.everything.count()
    written = export_prompts(path, Selection())
    assert written.prompts == total
    assert counts(import_file(path, user)) == (0, 0, total, 0)
    assert everything() == before
    clear()
    dry = import_file(path, user, dry_run=True)
    assert not Prompt.everything.exists()
    result = import_file(path, user, **options)
    assert result.failed == []
    assert counts(result) == counts(dry) == (total, 0, 0, 0)
    assert everything() == before
    for _ in range(2):
        assert counts(import_file(path, user, strict=True)) == (0, 0, total, 0)
    assert everything() == before


@EXAMPLES
@given(steps=operations)
def test_lines_of_json(tmp_path: Path, users: list[User], steps: list[Any]) -> None:
    clear()
    perform(users, steps)
    if Prompt.everything.exists():
        there_and_back(tmp_path / "all.jsonl", users[0])


@EXAMPLES
@given(steps=operations)
def test_markdown_folders(tmp_path: Path, users: list[User], steps: list[Any]) -> None:
    clear()
    perform(users, steps)
    shutil.rmtree(tmp_path / "all", ignore_errors=True)
    there_and_back(tmp_path / "all", users[0], strict=True)
