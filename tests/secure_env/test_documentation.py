"""docs/secrets.md, and what other documents say of secrets, against the command, the checks and compose."""

import argparse
import re

import yaml

from afn_project import secret_checks
from afn_project.env import BASE_DIR, secret_names
from afn_project.management.commands.secure_env import Command
from afn_project.secret_files import SUFFIX
from afn_project.secure_env import keys, sealing
from tests.test_compose import SERVICES
from tests.test_docs import tables

SECRETS = (BASE_DIR / "docs" / "secrets.md").read_text(encoding="utf-8")
SETTINGS = (BASE_DIR / "docs" / "settings.md").read_text(encoding="utf-8")
DEPLOYMENT = (BASE_DIR / "docs" / "deployment.md").read_text(encoding="utf-8")


def part(document: str, heading: str) -> str:
    return document.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_every_action_is_documented_with_its_options() -> None:
    [actions] = [
        action.choices
        for action in Command().create_parser("manage.py", "secure_env")._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    rows = tables(BASE_DIR / "docs" / "secrets.md")["Actions"]
    assert list(rows) == list(actions)
    for name, cells in rows.items():
        options = {option for action in actions[name]._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z-]+", cells[0])) == options - {"-h", "--help"}, name
        assert all(action.help for action in actions[name]._actions)


def test_every_check_of_secrets_is_documented() -> None:
    with open(secret_checks.__file__, encoding="utf-8") as file:
        ids = set(re.findall(r'id="(afn\.W\d+)"', file.read()))
    assert ids
    assert {f"`{one}`" for one in ids} == set(re.findall(r"`afn\.W\d+`", SECRETS))


def test_every_variable_that_can_come_from_a_file_is_listed() -> None:
    listed = set(re.findall(r"`([A-Z0-9_]+)`", part(SETTINGS, "Secrets in files").split("These say")[0]))
    assert listed - {SUFFIX} == set(secret_names())
    rows = tables(BASE_DIR / "docs" / "settings.md")["Secrets in files"]
    assert list(rows) == [keys.KEY, keys.KEY_FILE]


def test_the_costs_and_bounds_are_those_of_the_code() -> None:
    usual, most = sealing.USUAL, sealing.HIGHEST
    assert f"n = {usual.n}, r = {usual.r}, p = {usual.p}" in SECRETS
    assert f"n up to {most.n} and p up to {most.p}" in SECRETS
    assert f"{keys.SHORTEST} to {keys.LONGEST} characters" in SECRETS
    assert f"{keys.SHORTEST} to {keys.LONGEST} characters" in SETTINGS


def test_the_addition_to_compose_fits_what_it_is_added_to() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", part(DEPLOYMENT, "Secrets in files"), re.DOTALL)
    added = yaml.safe_load(block)
    assert set(added["services"]) == {
        name for name, service in SERVICES.items() if service["image"].startswith("afn:") and name != "keys"
    }
    for service in added["services"].values():
        assert set(service["secrets"]) == set(added["secrets"])
        assert set(service["environment"]) <= {keys.KEY_FILE, *(name + SUFFIX for name in secret_names())}
        for path in service["environment"].values():
            assert path.removeprefix("/run/secrets/") in added["secrets"]
