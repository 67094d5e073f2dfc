"""AFN's commands on a libSQL server; with the server down each says so and makes no file."""

from pathlib import Path

import pytest

from tests.processes import manage
from tests.servers import HOST, free_port
from tests.sqld import Sqld

COMMANDS = [
    ["init_db"],
    ["quickstart", "--no-server"],
    ["seed_data"],
    ["search", "x"],
    ["embed_prompts"],
    ["import_prompts", "prompts/samples/prompts.jsonl"],
    ["create_api_key", "--name", "x"],
    ["migrate"],
    ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org"],
    ["dumpdata"],
    ["showmigrations"],
    ["evaluate_search", "prompts", "--queries", "QUERIES"],
    ["import_items", "texts", "ITEMS.jsonl"],
    ["changepassword", "ada"],
    ["clearsessions"],
    ["flush", "--noinput"],
    ["remove_stale_contenttypes"],
    ["sqlflush"],
    ["inspectdb"],
    ["migrate", "--check"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_with_the_server_down_a_command_says_so_and_no_file_appears(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, command: list[str]
) -> None:
    file, folder = tmp_path / "afn.db", tmp_path_factory.mktemp("input")
    (folder / "QUERIES").write_text('{"query": "x", "relevant": {"a": 1}}\n')
    (folder / "ITEMS.jsonl").write_text('{"id": "a", "text": "x"}\n')
    done = manage(
        *(str(folder / word) if word in ("QUERIES", "ITEMS.jsonl") else word for word in command),
        ENVIRONMENT="development",
        TURSO_DATABASE_URL=f"http://{HOST}:{free_port()}",
        TURSO_AUTH_TOKEN="canary-token",
        AFN_DATABASE_FILE=str(file),
    )
    assert done.returncode == 1
    assert "cannot be reached (Connection refused); nothing was sent" in done.stderr
    assert "Is the server running" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary-token" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_commands_work_on_a_server(server: Sqld, namespace: str, tmp_path: Path) -> None:
    variables = {
        "ENVIRONMENT": "development",
        "TURSO_DATABASE_URL": server.name(namespace),
        "TURSO_AUTH_TOKEN": server.token(namespace=namespace),
        "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
    }
    for command in (["init_db"], ["seed_data"], ["init_db"], ["embed_prompts"], ["migrate", "--check"]):
        done = manage(*command, **variables)
        assert (done.returncode, done.stderr.count("Error")) == (0, 0), done.stderr
    done = manage("search", "summarize a meeting", "--json", **variables)
    assert done.returncode == 0
    assert '"score"' in done.stdout
    assert list(tmp_path.iterdir()) == []
