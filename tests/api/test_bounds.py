"""Everything that a request can bring has bounds, in the schema and in fact; unknown members are refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from pytest_django import DjangoDbBlocker

from afn_project.api import api
from afn_project.langfuse_api import api as langfuse_api
from tests.authorisation import world as worlds
from tests.authorisation.api_table import FILL, ROWS
from tests.authorisation.world import World

pytestmark = pytest.mark.django_db
# Bodies in which Langfuse's server ignores what it does not know, as its clients send more than AFN needs.
OPEN = {
    "POST /api/public/v2/prompts": "isActive, and what newer clients add",
    "PATCH /api/public/v2/prompts/{name}/versions/{version}": "the same",
    "POST /api/public/scores": "source, queueId, and what newer clients add",
    "POST /api/public/ingestion": "events that are counted and dropped, whatever is in them",
}
OF_JSON = ("x-max-bytes", "x-max-depth", "x-max-bytes-of-a-line")


@dataclass(frozen=True)
class Part:
    """A value that a request can bring, and what the schema says of it."""

    where: str
    schema: dict[str, Any]


def schemas() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for one in (api, langfuse_api):
        schema = json.loads(json.dumps(one.get_openapi_schema(), default=str))
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                yield f"{method.upper()} {path}", operation, schema["components"]["schemas"]


def walk(node: dict[str, Any], where: str, known: dict[str, Any]) -> Iterator[Part]:
    if "$ref" in node:
        yield from walk(known[node["$ref"].rpartition("/")[2]], where, known)
        return
    if branches := [one for kind in ("anyOf", "oneOf", "allOf") for one in node.get(kind, [])]:
        for branch in branches:
            yield from walk(branch, where, known)
        return
    yield Part(where, node)
    if node.get("type") == "array":
        yield from walk(node.get("items", {}), f"{where}[]", known)
    for name, member in node.get("properties", {}).items():
        yield from walk(member, f"{where}.{name}", known)
    if isinstance(others := node.get("additionalProperties"), dict):
        yield from walk(others, f"{where}.*", known)


def parts(operation: dict[str, Any], known: dict[str, Any]) -> Iterator[Part]:
    for parameter in operation.get("parameters", []):
        yield from walk(parameter["schema"], f"{parameter['in']} {parameter['name']}", known)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from walk(content["schema"], "body", known)


def is_bounded(schema: dict[str, Any]) -> bool:
    if "enum" in schema or "const" in schema or any(name in schema for name in OF_JSON):
        return True
    match schema.get("type"):
        case "boolean" | "null":
            return True
        case "string":
            return any(name in schema for name in ("maxLength", "format", "pattern"))
        case "integer" | "number":
            ends = [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
            return all(any(name in schema for name in end) for end in ends)
        case "array":
            return "maxItems" in schema
        case "object":
            return schema.get("additionalProperties") is False or "maxProperties" in schema
    return False


def test_every_value_of_a_request_has_bounds() -> None:
    unbounded, seen = set(), set()
    for name, operation, known in schemas():
        for part in parts(operation, known):
            seen.add(name)
            if is_bounded(part.schema):
                continue
            if part.schema.get("type") == "object" and name in OPEN:
                continue
            unbounded.add(f"{name} {part.where}")
    assert unbounded == set()
    assert set(OPEN) <= seen


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once: nothing of what is refused here changes it."""
    with django_db_blocker.unblock(), worlds.visited(tmp_path_factory.mktemp("world")) as made:
        yield made


def beyond(schema: dict[str, Any]) -> Iterator[Any]:
    """Values just out of the bounds, where they are not too large to be sent."""
    if (longest := schema.get("maxLength", 10**9)) <= 100_000:
        yield "x" * (longest + 1)
    if schema.get("type") == "array" and (most := schema.get("maxItems", 10**9)) <= 20_000:
        yield ["x"] * (most + 1)
    if "enum" in schema:
        yield "none of these"
    for name, step in (("minimum", -1), ("maximum", 1)):
        if abs(end := schema.get(name, 10**99)) < 10**15:
            yield end + step
    if (most := schema.get("maxProperties", 10**9)) <= 20_000:
        yield {f"m{number}": "x" for number in range(most + 1)}
    if (most := schema.get("x-max-bytes", 10**9)) <= 100_000:
        yield {"m": ["x" * 1_000] * (most // 1_000 + 1)}
    if depth := schema.get("x-max-depth"):
        deep: Any = "x"
        for _ in range(depth + 2):
            deep = {"m": deep}
        yield deep


def bodies(node: dict[str, Any], known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Members of a body with values out of their bounds."""
    if "$ref" in node:
        node = known[node["$ref"].rpartition("/")[2]]
    for name, member in node.get("properties", {}).items():
        for part in walk(member, name, known):
            if part.where == name:
                yield from ((name, value) for value in beyond(part.schema))


def send(world: World, name: str, body: Any, query: dict[str, Any] | None = None) -> HttpResponse:
    method, path = name.split(" ")
    row = ROWS[name]
    for parameter, value in (FILL | row.path).items():
        text = str(value)
        path = path.replace(f"{{{parameter}}}", str(world.own[text[1:-1]]) if text[0] == "[" else text)
    by = world.callers["superuser"]
    with transaction.atomic():
        response = by.client().generic(
            method,
            path,
            b"" if body is None else json.dumps(body),
            "application/json",
            headers=by.headers(path),
            query_params=query or dict(one.split("=") for one in row.query.split("&") if one),
        )
        transaction.set_rollback(True)
    return response


def with_json() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, operation, known in schemas():
        if body := operation.get("requestBody", {}).get("content", {}).get("application/json"):
            yield name, body["schema"], known


@pytest.mark.usefixtures("fake_embedder")
def test_what_is_out_of_bounds_is_refused(world: World) -> None:
    """…and the answer names the member, what was expected and what came."""
    tried = 0
    for name, schema, known in with_json():
        reference = schema.get("$ref", "").rpartition("/")[2]
        if not reference:  # of scores and events each is judged for itself
            continue
        example = ROWS[name].body if isinstance(ROWS[name].body, dict) else None
        example = example or (known[reference].get("examples") or [{}])[0]
        for member, value in bodies(schema, known):
            response = send(world, name, example | {member: value})
            shown = (name, member, str(value)[:80], response.content[:300])
            if response.status_code == 404 and "/webhooks/" in name:
                continue  # there is none to be changed
            assert response.status_code == (400 if "/public/" in name else 422), shown
            told = response.json().get("detail") or response.json()["message"]
            if isinstance(told, list):
                assert any(one["field"].startswith(member) for one in told), shown
            assert "xpected" in str(told), shown
            assert "got" in str(told), shown
            tried += 1
    assert tried > 150


@pytest.mark.usefixtures("fake_embedder")
def test_query_parameters_out_of_bounds_are_refused(world: World) -> None:
    for name, operation, known in schemas():
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "query":
                continue
            for part in walk(parameter["schema"], "", known):
                for value in beyond(part.schema) if part.where == "" else ():
                    needed = dict(one.split("=") for one in ROWS[name].query.split("&") if one)
                    response = send(world, name, None, needed | {parameter["name"]: value})
                    shown = (
                        name,
                        parameter["name"],
                        str(value)[:60],
                        response.status_code,
                        response.content[:300],
                    )
                    assert 400 <= response.status_code < 500, shown
                    if response.status_code != 404:
                        assert parameter["name"] in response.content.decode(), shown


@pytest.mark.usefixtures("fake_embedder")
def test_unknown_members_are_refused(world: World) -> None:
    for name, schema, known in with_json():
        if name in OPEN or not schema.get("$ref"):
            continue
        example = (known[schema["$ref"].rpartition("/")[2]].get("examples") or [{}])[0]
        response = send(world, name, example | {"nobody_knows": 1})
        assert response.status_code == 422, (name, response.content)
        wanted = {
            "field": "nobody_knows",
            "msg": "Expected no member of this name, got one",
            "expected": "no member of this name",
            "got": "one",
        }
        assert wanted in response.json()["detail"], name
