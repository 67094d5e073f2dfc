"""How many statements each list takes, the same for one entry as for all: a list without a row fails."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from afn_project.api import api
from afn_project.langfuse_api import api as langfuse_api
from tests.authorisation import world as worlds
from tests.authorisation.api_table import FILL, ROWS
from tests.authorisation.world import World

pytestmark = pytest.mark.django_db
# What takes a permission looks the key up each time, all else once in a while. Of what belongs to a prompt,
# a collection, a dataset or a run, one finds that.
COUNTS = {
    "GET /api/v1/keys": 3,
    "GET /api/v1/trash": 2,
    "GET /api/v1/trash/versions": 2,
    "GET /api/v1/labels": 2,
    "GET /api/v1/datasets": 2,
    "GET /api/v1/datasets/{name}/items": 3,
    "GET /api/v1/runs": 2,
    "GET /api/v1/runs/{id}/results": 3,
    "GET /api/v1/prompts/{ref}/comparison": 7,
    "GET /api/v1/prompts/{ref}/scores": 2,
    "GET /api/v1/prompts/{ref}/versions": 4,
    "GET /api/v1/prompts/{ref}/dependants": 2,
    "GET /api/v1/prompts/{ref}/moves": 3,
    "GET /api/v1/prompts/{ref}/evaluations": 3,
    "GET /api/v1/prompts": 4,
    "GET /api/v1/vectors/collections": 2,
    "GET /api/v1/vectors/collections/{name}/judgements": 3,
    "GET /api/v1/vectors/collections/{name}/runs": 3,
    "GET /api/v1/environments": 1,
    "GET /api/v1/webhooks": 2,
    "GET /api/v1/audit": 2,
    "GET /api/v1/slow-queries": 3,
    "GET /api/v1/jobs": 3,
    "GET /api/v1/alerts": 3,
    "GET /api/public/projects": 0,
    "GET /api/public/v2/prompts": 5,
    "GET /api/public/scores": 2,
    "GET /api/public/v2/scores": 2,
    "GET /api/public/v3/scores": 1,
}
UNPAGED = {
    "GET /api/v1/prompts/{ref}/comparison",
    "GET /api/v1/prompts/{ref}/scores",
    "GET /api/v1/environments",
    "GET /api/v1/webhooks",
    "GET /api/public/projects",
}


def lists() -> Iterator[str]:
    """Operations that answer with entries, by method and path."""
    for one in (api, langfuse_api):
        schema = json.loads(json.dumps(one.get_openapi_schema(), default=str))
        for path, methods in schema["paths"].items():
            answer = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
            reference = answer.get("application/json", {}).get("schema", {}).get("$ref", "")
            shown = schema["components"]["schemas"].get(reference.rpartition("/")[2], {})
            if {"items", "data"} & shown.get("properties", {}).keys():
                yield f"GET {path}"


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once: nothing here changes it."""
    with django_db_blocker.unblock(), worlds.visited(tmp_path_factory.mktemp("world")) as made:
        yield made


def count(world: World, name: str, **more: Any) -> int:
    path, row, by = name.partition(" ")[2], ROWS[name], world.callers["superuser"]
    for parameter, value in (FILL | row.path).items():
        text = str(value)
        path = path.replace(f"{{{parameter}}}", str(world.own[text[1:-1]]) if text[0] == "[" else text)
    query = dict(one.split("=") for one in row.query.split("&") if one) | more
    with CaptureQueriesContext(connection) as queries:
        response = by.client().get(path, query, headers=by.headers(path))
    assert response.status_code == 200, (name, response.content)
    return len([one for one in queries if "SAVEPOINT" not in one["sql"]])


def test_every_list_has_its_number() -> None:
    without_entries = {"GET /api/v1/webhooks/{id}/deliveries"}  # there is no webhook: see its own tests
    assert set(lists()) - without_entries == set(COUNTS)


@pytest.mark.parametrize("name", sorted(COUNTS))
@pytest.mark.usefixtures("fake_embedder")
def test_a_list_takes_so_many_statements(world: World, name: str) -> None:
    count(world, name)  # what is remembered from the first time on
    assert count(world, name) == COUNTS[name]
    if name not in UNPAGED:
        assert count(world, name, limit=1) == COUNTS[name]
