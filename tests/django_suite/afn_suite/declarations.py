"""The tests an engine declares as skipped or as expected failures, in Django's own mechanism."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connections

IN_MEMORY = "file:memorydb_default?mode=memory&cache=shared"


def load_declarations(engine: str, name: str = IN_MEMORY) -> dict[str, str]:
    """Return test name → reason as `engine` declares them for a database; opens none."""
    if not settings.configured:
        settings.configure(DATABASES={"default": {}}, USE_TZ=False)
    connections.databases[engine] = {"ENGINE": engine, "NAME": name}
    connections.configure_settings(connections.databases)
    features = connections[engine].features
    skips = {test: reason for reason, tests in features.django_test_skips.items() for test in tests}
    return {**skips, **dict.fromkeys(features.django_test_expected_failures, "expected failure")}


def in_modules(names: Iterable[str], modules: Iterable[str]) -> list[str]:
    """Return the names that belong to one of `modules`, sorted."""
    wanted = set(modules)
    return sorted(name for name in names if name.split(".")[0] in wanted)


def stale_names(names: Iterable[str], tests: Path) -> list[str]:
    """Return the declared names that the suite in `tests` does not have."""
    return sorted(name for name in names if not exists(name, tests))


def exists(name: str, tests: Path) -> bool:
    """Tell whether module.Class.method is in the suite; the method may be inherited within its package."""
    module, test_class, method = name.rsplit(".", 2)
    file = tests.joinpath(*module.split(".")).with_suffix(".py")
    if not file.is_file():
        file = file.with_suffix("") / "__init__.py"
    if not file.is_file() or not defines(file, ast.ClassDef, test_class):
        return False
    package = tests / name.split(".")[0]
    sources = [file, *sorted(package.rglob("*.py"))]
    return any(defines(source, (ast.FunctionDef, ast.AsyncFunctionDef), method) for source in sources)


def defines(file: Path, kind: type[ast.AST] | tuple[type[ast.AST], ...], name: str) -> bool:
    """Tell whether `file` defines a class or function of that name anywhere."""
    text = file.read_text("utf-8")
    return name in text and any(isinstance(n, kind) and n.name == name for n in ast.walk(ast.parse(text)))  # type: ignore[attr-defined]
