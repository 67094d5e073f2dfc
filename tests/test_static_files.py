"""Files of pages: compressed once they are collected, and as the code has them, whatever was collected."""

import gzip
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from afn_project.static_files import StaticFilesMiddleware

from .servers import PROJECT

# As the site has them; for other tests they are plain, which is quicker.
STORAGES = {"staticfiles": {"BACKEND": "afn_project.static_files.CompressedStorage"}}
SHEET = "/static/afn/console.css"
SOURCE = PROJECT / "afn_project/static/afn/console.css"


def ask(path: str, **headers: str) -> HttpResponse:
    def nowhere(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404)

    return StaticFilesMiddleware(nowhere)(RequestFactory().get(path, headers=headers))


@pytest.fixture
def collected(db: None, settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path, False
    settings.STORAGES = STORAGES
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path / "afn/console.css"


def test_what_is_collected_comes_compressed(collected: Path) -> None:
    answer = ask(SHEET, accept_encoding="gzip")

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.getvalue()) == SOURCE.read_bytes()
    answer.close()


def test_what_is_compressed_already_is_left_alone(collected: Path) -> None:
    compressed, of_old = collected.with_name("console.css.gz"), collected.with_name("console.css.br")
    inode = compressed.stat().st_ino
    of_old.write_bytes(b"of another version")

    call_command("collectstatic", interactive=False, verbosity=0)
    assert compressed.stat().st_ino == inode
    assert not of_old.exists()

    collected.write_text("p {}" * 100)
    call_command("collectstatic", interactive=False, verbosity=0)
    assert gzip.decompress(compressed.read_bytes()) == collected.read_bytes()


def test_what_has_changed_since_comes_from_the_code(collected: Path) -> None:
    os.utime(collected, (1, 1))
    answer = ask(SHEET, accept_encoding="gzip")

    assert "Content-Encoding" not in answer.headers
    assert answer.getvalue() == SOURCE.read_bytes()
    answer.close()


def test_without_collecting_all_is_there(db: None, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path / "static", False
    answer = ask(SHEET)

    assert answer.getvalue() == SOURCE.read_bytes()
    answer.close()


def test_pages_of_the_console_come_compressed(db: None) -> None:
    answer = Client().get("/admin/login/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
