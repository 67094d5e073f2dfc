"""`import_prompts` and `create_api_key` as they are typed, and every command without tables."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection

from prompts.models import ApiKey, Prompt, User
from prompts.models.api_key import hash_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, user: User) -> Any:
    def write(text: str, name: str = "my.csv") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def call(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as error:
        return int(error.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_it_counts_in_text_and_is_content_with_identical_rows(file: Any) -> None:
    path = file("act,prompt\na,A\nb,B\nc,A\n")
    assert call("import_prompts", path) == (0, "2 created, 0 updated, 1 unchanged, 0 refused\n", "")
    assert call("import_prompts", path) == (0, "0 created, 0 updated, 3 unchanged, 0 refused\n", "")


def test_json_is_all_that_stdout_gets(file: Any, capfd: pytest.CaptureFixture[str]) -> None:
    path = file("title,content,status\na,A,active\nb,B,公開\nc,,draft\n")
    with pytest.raises(SystemExit) as caught:
        call_command("import_prompts", path, "--json")
    assert caught.value.code == 1
    out, err = capfd.readouterr()
    assert json.loads(out) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "failed": [
            {"line": 3, "field": "status", "expected": "draft or active or archived", "got": "公開"},
            {"line": 4, "field": "content", "expected": "some text", "got": "none"},
        ],
        "notes": [],
    }
    assert "公開" in out
    assert err == ""


def test_a_refused_row_is_exit_code_1_and_the_rest_is_kept(file: Any) -> None:
    code, out, err = call("import_prompts", file("title,content\na\nb,B\n"), "--verbosity", "0")
    assert (code, out) == (1, "1 created, 0 updated, 0 unchanged, 1 refused\n")
    assert err == "line 2: row: expected 2 fields, got 1 fields\n"
    assert Prompt.objects.get().title == "b"


def test_strict_and_dry_run_write_nothing(file: Any) -> None:
    path = file("title,content\na\nb,B\n")
    assert call("import_prompts", path, "--strict", "--json")[0] == 1
    code, out, _ = call("import_prompts", path, "--dry-run")
    assert (code, out) == (1, "1 created, 0 updated, 0 unchanged, 1 refused (dry run)\n")
    assert not Prompt.objects.exists()


def test_author_and_source_can_be_named(file: Any) -> None:
    User.objects.create_user("other", "other@example.com")
    call("import_prompts", file("title,content\na,A\n"), "--user", "OTHER@example.com", "--source", "library")
    prompt = Prompt.objects.get()
    assert (prompt.user.username, prompt.source) == ("other", "library")


@pytest.mark.parametrize("name", ["missing.csv", "prompts.pdf"])
def test_an_unreadable_file_is_an_error_of_one_line(file: Any, name: str) -> None:
    path = Path(file("")).with_name(name)
    with pytest.raises(CommandError, match=name):
        call_command("import_prompts", path)


@pytest.mark.usefixtures("broken_embedder")
def test_an_embedder_that_fails_loses_no_prompts(file: Any) -> None:
    with pytest.raises(CommandError, match=r"The prompts are saved, but not embedded.*embed_prompts"):
        call_command("import_prompts", file("title,content\na,A\n"), verbosity=0)
    assert Prompt.objects.get().versions.count() == 1


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"]])
def test_a_key_is_printed_once_and_stored_as_a_hash(user: User, run: Any, scopes: list[str]) -> None:
    answer = json.loads(run("create_api_key", "--name", "shop", "--scopes", ",".join(scopes), "--json"))
    assert set(answer) == {"public_key", "secret_key"}
    key = ApiKey.objects.get()
    assert (key.public_key, key.user, key.name, key.scopes) == (answer["public_key"], user, "shop", scopes)
    assert key.secret_hash == hash_secret(answer["secret_key"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM api_keys")
        assert answer["secret_key"] not in str(cursor.fetchall())
    assert ApiKey.objects.by_secret(answer["secret_key"]) == key
    assert ApiKey.objects.by_pair(answer["public_key"], answer["secret_key"]) == key
    assert ApiKey.objects.by_pair(answer["public_key"], "wrong") is None


def test_a_key_in_text_comes_with_advice(user: User, run: Any) -> None:
    text = run("create_api_key", "--name", "shop")
    assert text.count("sk-afn-") == 1
    assert "not stored" in text
    assert ApiKey.objects.get().scopes == ["read"]


WRONG = [
    (["--scopes", "admin"], r"--scopes: expected read or write.* got 'admin'"),
    (["--scopes", ""], "got ''"),
    (["--scopes", "read,,delete"], "got 'read,,delete'"),
    (["--user", "nobody"], "--user: expected the name or e-mail of a user, got 'nobody'"),
    (["--name", " "], "--name: expected 1 to 255 printable characters, got ' '"),
    (["--name", "x" * 256], "--name: expected 1 to 255"),
    (["--name", "a\udcff"], "--name: expected 1 to 255"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_key_is_refused(user: User, run: Any, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("create_api_key", "--name", "shop", *arguments)
    assert not ApiKey.objects.exists()


def test_a_key_needs_a_name(user: User, run: Any) -> None:
    with pytest.raises(CommandError, match="--name"):
        run("create_api_key")


def test_a_key_of_an_inactive_user_opens_nothing(user: User, run_json: Any) -> None:
    secret = run_json("create_api_key", "--name", "shop")["secret_key"]
    user.is_active = False
    user.save()
    assert authenticate(username="aoi", password="correct horse") is None
    assert ApiKey.objects.by_secret(secret) is None


@pytest.fixture
def no_tables(tmp_path: Path) -> Iterator[None]:
    """The default database is an empty one, as before the first migration."""
    before = connection.connection
    connection.connection = connection.get_new_connection(
        {"database": str(tmp_path / "empty.db"), "timeout": 5.0, "encryption_key": ""}
    )
    yield
    connection.connection.close()
    connection.connection = before


@pytest.mark.usefixtures("no_tables")
@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "x"],
        ["embed_prompts"],
        ["create_api_key", "--name", "x"],
        ["import_prompts", __file__],
        ["seed_data", "--force"],
    ],
)
def test_without_tables_the_next_step_is_told(run: Any, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"no such table: \w+\. Run `manage\.py init_db` first"):
        run(*arguments)
