"""Histories of a file into a libSQL server, which has limits of its own."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from prompts.exchange.exporting import export_prompts
from prompts.exchange.import_files import read_items
from prompts.exchange.importing import import_items
from prompts.exchange.json_lines import dump_line
from prompts.exchange.markdown_folders import read_folder
from prompts.exchange.registry import Selection
from prompts.models import Evaluation, Prompt, PromptVersion, User
from tests.prompts.databases import opened
from tests.sqld import company_sqld

pytestmark = pytest.mark.sqld
SERVER = "server"


@pytest.fixture
def server(django_db_setup: None, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    """A database on a server, and a user of it."""
    with company_sqld(tmp_path / "company") as running, ExitStack() as stack:
        options = {"auth_token": running.token(), "timeout": 15.0}
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(opened(SERVER, running.create("main"), OPTIONS=options))
        call_command("migrate", database=SERVER, verbosity=0)
        yield User.objects.using(SERVER).create(username="aoi", email="aoi@example.com")


def test_long_histories_go_in_and_out(server: User, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    versions = [{"number": at, "content": f"{at} " + "長い" * 200_000} for at in range(1, 16)]
    scores = [{"version": 1, "item": str(at), "score": 0.5, "metrics": {"x": at}} for at in range(3_000)]
    records = [
        {"name": "long", "versions": versions, "evaluations": scores, "labels": {"production": 2}},
        *({"name": f"p{at}", "versions": [{"number": 1, "content": f"c{at}"}]} for at in range(300)),
    ]
    path.write_text("".join(map(dump_line, records)), encoding="utf-8")

    def bring() -> tuple[int, int, int, int]:
        result = import_items(lambda: read_items(path), server, source="long", using=SERVER)
        return result.created, result.updated, result.unchanged, len(result.failed)

    assert bring() == (301, 0, 0, 0)
    assert bring() == (0, 0, 301, 0)
    assert PromptVersion.objects.using(SERVER).count() == 315
    assert Evaluation.objects.using(SERVER).count() == 3_000
    for place in (tmp_path / "out.jsonl", tmp_path / "folder"):
        written = export_prompts(place, Selection(), using=SERVER)
        assert (written.prompts, written.versions) == (301, 315)
    before = sorted(PromptVersion.objects.using(SERVER).values_list("pk", "content_hash", "created_at"))
    Prompt.everything.using(SERVER).all().delete()
    result = import_items(
        lambda: read_folder(tmp_path / "folder", []), server, source="x", strict=True, using=SERVER
    )
    assert (result.created, result.failed) == (301, [])
    assert (
        sorted(PromptVersion.objects.using(SERVER).values_list("pk", "content_hash", "created_at")) == before
    )
    shutil.rmtree(tmp_path / "folder")
