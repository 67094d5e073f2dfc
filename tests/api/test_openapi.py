import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import BaseModel

from afn_project.api import api as ninja_api
from tests.authorisation.api_table import V1
from vectors.permissions import needed_permission

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def test_paths_stand_below_v1_and_end_without_a_slash(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.")
    assert len(list(operations(schema))) == len(V1)
    assert all(path.startswith("/api/v1/") and not path.endswith("/") for path in schema["paths"])


def test_every_operation_is_described_and_has_a_name_of_its_own(schema: dict[str, Any]) -> None:
    found = dict(operations(schema))
    assert all(operation["description"] for operation in found.values())
    assert len({operation["operationId"] for operation in found.values()}) == len(found)


def test_every_operation_stands_once_and_under_a_title_of_its_own(schema: dict[str, Any]) -> None:
    found = dict(operations(schema))
    assert {name for name, one in found.items() if len(one["tags"]) != 1} == set()
    assert len({(one["tags"][0], one["summary"]) for one in found.values()}) == len(found)


def test_every_body_has_an_example(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        if body := operation.get("requestBody"):
            if lines := body["content"].get("application/x-ndjson"):
                assert lines["schema"]["example"], name
                continue
            wanted = body["content"]["application/json"]["schema"]
            (named,) = wanted.get("allOf", [wanted])  # of a body that may be left out
            reference = named["$ref"].rpartition("/")[2]
            assert schema["components"]["schemas"][reference]["examples"], name


def test_an_export_is_lines_and_nothing_else(schema: dict[str, Any]) -> None:
    answer = schema["paths"]["/api/v1/vectors/collections/{name}/export"]["get"]["responses"]["200"]
    assert list(answer["content"]) == ["application/x-ndjson"]


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(schema["components"]["schemas"])


def test_every_operation_names_its_auth_and_the_form_of_its_errors(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        names = [next(iter(one)) for one in operation["security"]]
        assert names == ["ClerkToken", "ApiKeyBearer", "ApiKeyPair", "Session"]
        for status in ("401", "403", "411", "415", "422", "423"):
            content = operation["responses"][status]["content"]["application/json"]
            assert content["schema"]["$ref"].endswith("/ErrorOut"), name


def test_every_operation_that_changes_something_declares_a_permission(rf: Any) -> None:
    seen: list[str] = []

    class Stop(Exception):
        pass

    def stop(request: Any) -> None:
        seen.append(needed_permission(request))
        raise Stop

    for router in ninja_api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                callbacks, operation.auth_callbacks = operation.auth_callbacks, [stop]
                try:
                    operation.run(getattr(rf, operation.methods[0].lower())("/"))
                finally:
                    operation.auth_callbacks = callbacks
    assert "undeclared" not in seen
    assert len(seen) == len(V1)
    assert sum(bool(one) for one in seen) == sum(
        row.kind not in ("reading", "reading by POST", "tickets") for row in V1.values()
    )


def test_the_documentation_asks_no_other_host(client: Client, db: None) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    html = page.content.decode()
    assert "swagger-ui" in html
    assert not re.findall(r"(?:https?:)?//[\w.-]+", html)
    assert '"validatorUrl": null' in html
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        asset = client.get(path)
        assert asset.status_code == 200, path
        asset.close()


def test_no_two_schemas_have_the_same_name(schema: dict[str, Any]) -> None:
    """The second would be described as the first."""

    def models(base: type) -> Iterator[type]:
        for one in base.__subclasses__():
            yield one
            yield from models(one)

    found: dict[str, set[str]] = {}
    for model in models(BaseModel):
        app = model.__module__.split(".")[0]
        is_other = model.__module__.startswith(("prompts.langfuse", "prompts.mcp_server"))
        if app in ("ops", "prompts", "vectors") and not is_other:
            found.setdefault(model.__name__, set()).add(model.__module__)
    shown = {name: where for name, where in found.items() if name in schema["components"]["schemas"]}
    assert {name: where for name, where in shown.items() if len(where) > 1} == {}
