"""Who may what: every operation of both APIs with every kind of caller, held to one table.

An operation that is not in `tests.authorisation.api_table` fails here: whoever adds it has to say who may
call it. `tests/admin/test_authorisation.py` does the same for all other addresses.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from afn_project.api import api
from afn_project.langfuse_api import api as langfuse_api
from tests.authorisation import world as worlds
from tests.authorisation.api_table import ALL, CLASSES, FILL, ROWS, Row, expected
from tests.authorisation.world import OWNER, World

pytestmark = pytest.mark.django_db


def operations() -> dict[str, dict[str, Any]]:
    """By method and path: what the schema says of each operation, nothing of those it does not show."""
    found = {}
    for one, prefix in ((api, "/api/v1"), (langfuse_api, "/api/public")):
        for router in one._get_bound_routers():
            for path, view in router.path_operations.items():
                where = re.sub("/+", "/", f"{prefix}/{router.prefix}/{path}").rstrip("/")
                where = re.sub(r"\{\w+:(\w+)\}", r"{\1}", where)
                found |= {
                    f"{method} {where}": {} for operation in view.operations for method in operation.methods
                }
        schema = json.loads(json.dumps(one.get_openapi_schema(), default=str))
        for path, methods in schema["paths"].items():
            for method, described in methods.items():
                assert f"{method.upper()} {path}" in found, "the schema names what there is not"
                found[f"{method.upper()} {path}"] = _example(schema, described)
    return found


def _example(schema: dict[str, Any], described: dict[str, Any]) -> Any:
    content = (
        described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    )
    name = content.get("$ref", "").rpartition("/")[2]
    return (schema["components"]["schemas"].get(name, {}).get("examples") or [{}])[0]


EXAMPLES = operations()


def patterns(found: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for one in found:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, prefix + str(one.pattern))
        else:
            yield prefix + str(one.pattern)


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once: each call is undone for itself."""
    with django_db_blocker.unblock(), worlds.visited(tmp_path_factory.mktemp("world")) as made:
        yield made


def call(world: World, name: str, caller: str) -> HttpResponse:
    """Have `caller` do it, and undo it."""
    method, path = name.split(" ")
    row, values = ROWS[name], world.others if caller.endswith("another's") else world.own
    for parameter, value in (FILL | row.path).items():
        text = str(value)
        path = path.replace(f"{{{parameter}}}", str(values[text[1:-1]]) if text[0] == "[" else text)
    body = EXAMPLES[name] if row.body is None else row.body
    by = world.callers[caller]
    with transaction.atomic():
        response = by.client().generic(
            method,
            path,
            b"" if method in ("GET", "DELETE") else body if isinstance(body, bytes) else json.dumps(body),
            row.content_type,
            headers=by.headers(path),
            query_params=dict(one.split("=") for one in row.query.split("&") if one),
        )
        if response.streaming:
            list(response.streaming_content)
        transaction.set_rollback(True)
    return response


def outcomes(world: World, name: str, callers: tuple[str, ...] = ALL) -> dict[str, int]:
    return {caller: call(world, name, caller).status_code for caller in callers}


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert set(EXAMPLES) == set(ROWS)
    assert {row.kind for row in ROWS.values()} <= set(CLASSES)
    assert all(set(statuses) == set(ALL) for statuses in CLASSES.values())


def test_the_map_of_addresses_holds_no_operation_of_which_the_apis_know_nothing() -> None:
    mapped = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one).rstrip("/") for one in patterns(get_resolver().url_patterns)
    }
    known = {name.partition(" ")[2].strip("/") for name in ROWS}
    of_ninja = {"api/v1/docs", "api/v1/openapi.json", "api/v1", "api/public/openapi.json", "api/public"}
    assert {one for one in mapped if one.startswith("api/")} == known | of_ninja


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.usefixtures("fake_embedder")
def test_who_may(world: World, name: str) -> None:
    wanted = {caller: expected(name, caller) for caller in ALL}
    assert outcomes(world, name) == wanted


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.usefixtures("fake_embedder")
def test_where_reading_is_public(world: World, name: str, settings: Any) -> None:
    """Then whoever has no credentials may read what AFN's own API has for every account, and nothing else."""
    settings.AFN_PUBLIC_READ = True
    row: Row = ROWS[name]
    is_open = row.kind == "open" or (row.kind in ("reading", "reading by POST") and "/api/v1/" in name)
    assert call(world, name, "anonymous").status_code == (row.done if is_open else 401)
    assert call(world, name, "wrong key").status_code == (row.done if row.kind == "open" else 401)


@pytest.mark.usefixtures("fake_embedder")
def test_another_method_is_refused_before_anybody_is_asked_who_they_are(world: World) -> None:
    """…so it does nothing, whoever asks."""
    paths = {name.partition(" ")[2] for name in ROWS}
    for path in sorted(paths):
        taken = {name.split(" ")[0] for name in ROWS if name.endswith(f" {path}")}
        method = next(one for one in ("PUT", "PATCH", "POST") if one not in taken)
        by = world.callers["superuser"]
        filled = re.sub(r"\{\w+\}", "1", path)
        with transaction.atomic():
            answer = by.client().generic(method, filled, b"{}", headers=by.headers(filled))
            transaction.set_rollback(True)
        assert answer.status_code == 405, (method, path, answer.status_code)


@pytest.mark.usefixtures("fake_embedder")
@pytest.mark.parametrize("prefix", ["/api/v1", "/api/public"])
def test_a_refusal_says_whose_the_prompt_is_and_which_permission_would_do(world: World, prefix: str) -> None:
    name = (
        f"DELETE {prefix}/prompts/{{ref}}" if prefix == "/api/v1" else f"DELETE {prefix}/v2/prompts/{{name}}"
    )
    text = call(world, name, "editor on another's").content.decode()
    assert "of-colleague, which belongs to colleague" in text
    assert "prompts.change_others_prompts" in text
    assert OWNER not in text
