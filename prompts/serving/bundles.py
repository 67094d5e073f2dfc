"""All prompts that a label serves, each composed: what an application starts with, or keeps in a file."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import router

from vectors.rows import execute

from ..errors import RegistryProblem
from ..models import LATEST, Prompt
from . import reading
from .reading import Served

MAX_PROMPTS: Final = 5_000
_IN_FOLDER: Final = "p.name >= %s AND p.name < %s"
_TAGGED: Final = "EXISTS (SELECT 1 FROM json_each(p.tags) WHERE value = %s)"


def bundle(label: str, *, folder: str = "", tag: str = "") -> dict[str, Any]:
    """The prompts by name, in order; equal registries give equal bundles.

    One whose composition cannot be resolved is listed under ``problems`` instead, with the reason: it must
    not keep the others from an application. Raises ``RegistryProblem`` for more than MAX_PROMPTS.
    """
    prompts: list[dict[str, Any]] = []
    problems: list[dict[str, str]] = []
    for served in _served(label, folder, tag):
        try:
            prompts.append(reading.as_json(served, served.compose()))
        except (reading.Unresolvable, reading.TemplateProblem) as problem:
            problems.append({"name": served.name, "msg": str(problem)})
    return {"label": label, "folder": folder, "tag": tag, "prompts": prompts, "problems": problems}


def _served(label: str, folder: str, tag: str) -> Iterator[Served]:
    conditions, params = ["p.deleted_at IS NULL"], []
    if folder:
        conditions.append(_IN_FOLDER)
        params += [f"{folder.strip('/')}/", f"{folder.strip('/')}0"]
    if tag:
        conditions.append(_TAGGED)
        params.append(tag)
    statement, before = (reading.ALL_NEWEST, []) if label == LATEST else (reading.ALL_LABELLED, [label])
    sql = f"{statement} WHERE {' AND '.join(conditions)} ORDER BY p.name LIMIT %s"
    rows = execute(router.db_for_write(Prompt), (sql, [*before, *params, MAX_PROMPTS + 1]))
    if len(rows) > MAX_PROMPTS:
        raise RegistryProblem(
            "label", f"at most {MAX_PROMPTS:,} prompts", "more", "Narrow it by folder or tag."
        )
    return (reading.served_from(row) for row in rows)
