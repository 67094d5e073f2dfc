"""The documentation against the code: settings, commands, links."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from afn_project import secret_key
from afn_project.env import BASE_DIR, REFUSED, Env, read_env
from tests.pictures.pages import PICTURES

APPS = ("afn_project", "ops", "prompts", "vectors")
READ, REFUSES, OTHERS = (
    "Variables that AFN reads",
    "Variables that AFN refuses",
    "Variables of other programs",
)

# Every variable of the document that AFN was asked for in.
ASKED_FOR = """
TURSO_DATABASE_URL TURSO_AUTH_TOKEN TURSO_SYNC_URL TURSO_DATABASE_NAME
REDIS_URL REDIS_PASSWORD REDIS_SSL REDIS_DB REDIS_MAX_RETRIES REDIS_RETRY_DELAY REDIS_HOSTS
REDIS_COMMANDER_PASSWORD HTTP_USER HTTP_PASSWORD
VECTOR_DIMENSION VECTOR_INDEX_TYPE VECTOR_METRIC
DB_POOL_SIZE DB_MAX_OVERFLOW DB_POOL_TIMEOUT DB_POOL_RECYCLE DB_ECHO
ALEMBIC_CONFIG ALEMBIC_MIGRATION_DIR OPENAI_API_KEY ENVIRONMENT
SQLD_DB_PATH SQLD_HTTP_LISTEN_ADDR SQLD_GRPC_LISTEN_ADDR SQLD_AUTH_JWT_KEY_FILE
NEXT_PUBLIC_DATABASE_URL NEXT_PUBLIC_REDIS_URL NEXT_PUBLIC_VECTOR_API_ENDPOINT
"""

Rows = dict[str, list[str]]


def tables(path: Path) -> dict[str, Rows]:
    """By heading: the rows of its table, by each name in their first cell."""
    found: dict[str, Rows] = {}
    heading = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for name in re.findall(r"`([^`]+)`", cells[0]):
                found.setdefault(heading, {})[name] = cells[1:]
    return found


@pytest.fixture(scope="module")
def settings_doc() -> dict[str, Rows]:
    return tables(BASE_DIR / "docs" / "settings.md")


def as_documented(name: str, value: Any) -> str:
    """A default of the code as the table shows it."""
    if name == "secret_key":
        return f"`{secret_key.PATH.relative_to(BASE_DIR)}`"
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | dict):
        return f"`{' '.join(value)}`" if value else "empty"
    return f"`{value.relative_to(BASE_DIR) if isinstance(value, Path) else value}`"


def test_every_variable_is_documented_and_no_other(settings_doc: dict[str, Rows]) -> None:
    assert set(settings_doc[READ]) == {name.upper() for name in Env.model_fields}
    assert set(settings_doc[REFUSES]) == set(REFUSED)


@pytest.mark.parametrize("name", Env.model_fields)
def test_a_documented_default_is_that_of_the_code(settings_doc: dict[str, Rows], name: str) -> None:
    default, meaning = settings_doc[READ][name.upper()]
    assert default == as_documented(name, Env.model_fields[name].default)
    assert meaning.endswith(".")
    assert Env.model_fields[name].description


@pytest.mark.parametrize("name", REFUSED)
def test_the_reason_of_a_refusal_is_that_of_the_code(settings_doc: dict[str, Rows], name: str) -> None:
    def plain(text: str) -> str:
        return text.replace("`", "").rstrip(".").lower()

    [reason] = settings_doc[REFUSES][name]
    assert plain(reason) == plain(REFUSED[name])


@pytest.mark.parametrize("name", ASKED_FOR.split())
def test_every_variable_asked_for_has_its_row(settings_doc: dict[str, Rows], name: str) -> None:
    assert [heading for heading in (READ, REFUSES, OTHERS) if name in settings_doc[heading]] != []


def test_choices_are_all_named(settings_doc: dict[str, Rows]) -> None:
    for name, field in Env.model_fields.items():
        for choice in getattr(field.annotation, "__args__", ()):
            if isinstance(choice, str):
                assert f"`{choice}`" in settings_doc[READ][name.upper()][1], f"{name}: {choice}"


def example() -> list[str]:
    lines = (BASE_DIR / ".env.example").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("#") for line in lines if re.match(r"#?[A-Z0-9_]+=", line)]


def test_the_example_names_every_variable_once() -> None:
    names = [line.partition("=")[0] for line in example()]
    assert sorted(names) == sorted(name.upper() for name in Env.model_fields)


def test_the_example_is_accepted_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Env.model_fields, *REFUSED):
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_text("\n".join(example()), encoding="utf-8")
    env = read_env(tmp_path / ".env")
    assert env.environment == "production"
    assert env.afn_database_file == BASE_DIR / "var" / "afn.db"
    assert env.secret_key is None  # nobody's key is everybody's key


def our_commands() -> dict[str, BaseCommand]:
    return {
        name: load_command_class(app, name)
        for name, app in sorted(get_commands().items())
        if isinstance(app, str) and app in APPS
    }


def own_arguments(command: BaseCommand) -> Iterator[argparse.Action]:
    base = {action.dest for action in BaseCommand().create_parser("manage.py", "x")._actions}
    for action in command.create_parser("manage.py", "x")._actions:
        if action.dest not in base:
            yield action


@pytest.mark.parametrize(("name", "command"), our_commands().items())
def test_a_command_explains_itself_and_its_arguments(name: str, command: BaseCommand) -> None:
    assert len(command.help) > 20
    assert command.help.rstrip().endswith(".")
    assert [action.dest for action in own_arguments(command) if not action.help] == []
    command.create_parser("manage.py", name).format_help()


def test_the_readme_lists_every_command_and_no_other() -> None:
    rows = tables(BASE_DIR / "README.md")["Commands"]
    assert {name.split()[0] for name in rows} == set(our_commands())


def test_the_readme_names_options_that_exist() -> None:
    commands = our_commands()
    for name, cells in tables(BASE_DIR / "README.md")["Commands"].items():
        known = {
            option for action in own_arguments(commands[name.split()[0]]) for option in action.option_strings
        }
        named = set(re.findall(r"(?<!\w)--[a-z][a-z-]+", " ".join([name, *cells])))
        assert named <= known, name


def test_the_readme_names_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", (BASE_DIR / "README.md").read_text(encoding="utf-8")))
    assert {"run", "test"} <= named <= targets


def environment_actions() -> dict[str, argparse.ArgumentParser]:
    for action in own_arguments(our_commands()["environments"]):
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("`environments` has no actions")


@pytest.fixture(scope="module")
def environments_doc() -> str:
    return (BASE_DIR / "docs" / "environments.md").read_text(encoding="utf-8")


def test_the_environments_page_has_every_action_with_its_options_and_no_other() -> None:
    rows = tables(BASE_DIR / "docs" / "environments.md")["Actions"]
    actions = environment_actions()
    assert [name.split()[0] for name in rows] == list(actions)
    for name, cells in rows.items():
        options = {option for action in actions[name.split()[0]]._actions for option in action.option_strings}
        documented = set(re.findall(r"(?<!\w)--[a-z][a-z-]+", cells[1]))
        assert documented == options - {"-h", "--help", "--json"}, name


def test_the_environments_page_shows_every_action_at_work(environments_doc: str) -> None:
    for name in environment_actions():
        assert f"python manage.py environments {name}" in environments_doc


def test_the_environments_page_names_every_setting_of_environments(environments_doc: str) -> None:
    prefixes = ("afn_environment", "afn_protected", "afn_sqld", "afn_token_keys", "turso_")
    elsewhere = {"turso_replica_url", "turso_sync_url"}
    names = {name for name in Env.model_fields if name.startswith(prefixes)} - elsewhere
    assert {name for name in names if f"`{name.upper()}`" not in environments_doc} == set()


def test_the_backups_page_names_every_setting_of_backups() -> None:
    text = (BASE_DIR / "docs" / "backups.md").read_text(encoding="utf-8")
    names = {name.upper() for name in Env.model_fields if name.startswith("afn_backup")}
    assert {name for name in names if f"`{name}`" not in text} == set()


DOCUMENTS = sorted([*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").rglob("*.md")])


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


def test_each_picture_is_shown_by_a_document_and_can_be_taken_anew() -> None:
    images = BASE_DIR / "docs" / "images"
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    shown = {
        (path.parent / link).resolve()
        for path, text in texts.items()
        for link in re.findall(r'(?:\]\(|src=")([^)"\s]+\.(?:png|svg))', text)
    }
    assert shown == set(images.iterdir())
    assert {path.stem for path in images.glob("*.png")} == {picture.name for picture in PICTURES}
    assert sum(path.stat().st_size for path in images.iterdir()) < 2_000_000


def test_the_settings_are_linked_from_the_readme() -> None:
    assert "(docs/settings.md)" in (BASE_DIR / "README.md").read_text(encoding="utf-8")


def test_every_check_of_the_project_is_documented() -> None:
    code = (BASE_DIR / "afn_project" / "checks.py").read_text(encoding="utf-8")
    ids = set(re.findall(r'id="(afn\.[A-Z]\d+)"', code))
    documented = tables(BASE_DIR / "docs" / "deployment.md")["Connections"]
    assert ids
    assert {name for name in documented if name.startswith("afn.")} == ids
