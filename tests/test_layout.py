"""The layout that the README draws: imports go one way, wiring imports nothing, nothing is of one machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

PROJECT = Path(__file__).resolve().parent.parent
# Each may import itself and what stands before it.
APPS = ["vectors", "prompts", "ops", "afn_project"]
FOREIGN = {"var", "node_modules", "staticfiles", "__pycache__"}


def files(folder: Path) -> Iterator[Path]:
    """All files that belong to the project: hidden folders hold what tools keep."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif path.name not in FOREIGN and (path.name == ".ci" or not path.name.startswith(".")):
            yield from files(path)


def modules(app: str) -> list[Path]:
    return [path for path in files(PROJECT / app) if path.suffix == ".py"]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything a module imports, inside functions too."""
    package = path.relative_to(PROJECT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def foreign_imports(app: str, allowed: list[str]) -> list[str]:
    forbidden = ({*APPS, "tests", "manage"}) - set(allowed)
    return [
        f"{path.relative_to(PROJECT)}:{line} imports {name}"
        for path in modules(app)
        for line, name in imports(path)
        if name.split(".")[0] in forbidden
    ]


@pytest.mark.parametrize("app", APPS)
def test_imports_go_one_way(app: str) -> None:
    assert modules(app)
    assert foreign_imports(app, APPS[: APPS.index(app) + 1]) == []


def test_the_walk_sees_imports_of_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_layout.PROJECT", tmp_path)
    module = tmp_path / "vectors" / "inner" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        "import prompts.models as models\n"
        "from . import near\n"
        "from ...ops import health\n"
        "def late():\n"
        "    from afn_project.env import Env\n"
    )
    names = {name for _, name in imports(module)}
    assert names == {"prompts.models", "vectors.inner.near", "ops.health", "afn_project.env.Env"}
    assert len(foreign_imports("vectors", ["vectors"])) == 3


def test_the_engine_stands_alone_within_the_wiring() -> None:
    strangers = [
        f"{path.name}:{line} imports {name}"
        for path in modules("afn_project/libsql")
        for line, name in imports(path)
        if name.split(".")[0] in APPS and not name.startswith("afn_project.libsql")
    ]
    assert strangers == []


def test_the_wiring_package_imports_nothing() -> None:
    assert (PROJECT / "afn_project" / "__init__.py").read_text() == ""


def test_nothing_names_a_place_on_one_machine() -> None:
    place = re.compile(r"(?<![\w.}-])/(?:work|tmp|home|root|Users|mnt|private)/")
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()[:100]}"
        for path in files(PROJECT)
        if "tests" not in path.relative_to(PROJECT).parts and path.name not in (".env", ".coverage")
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), start=1)
        if place.search(line)
    ]
    assert found == []


def our_migrations() -> list[tuple[str, list[Operation]]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        (f"{app}.{name}", migration.operations)
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in APPS
    ]


def test_migrations_are_named_by_what_they_do() -> None:
    names = [name.partition(".")[2] for name, _ in our_migrations()]
    assert names
    for name in names:
        assert re.fullmatch(r"\d{4}_[a-z]+(_[a-z0-9]+)*", name)
        assert not re.search(r"_auto_|_initial$|_alter_\w+_and_more$|_squashed_", name)


def test_migrations_can_be_taken_back() -> None:
    for name, operations in our_migrations():
        assert all(operation.reversible for operation in operations), name


@pytest.mark.django_db
def test_tables_have_the_names_of_the_domain() -> None:
    tables = set(connection.introspection.table_names(include_views=True))
    assert {"users", "prompts", "prompt_versions", "prompt_embeddings", "evaluations"} <= tables
