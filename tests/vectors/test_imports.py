"""The library stands alone: nothing of the product gets into it."""

import ast
from pathlib import Path

import vectors

ROOT = Path(vectors.__file__).parent


def test_it_imports_nothing_of_the_product():
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] not in {"prompts", "ops", "afn_project", "tests"}, f"{path}: {name}"
