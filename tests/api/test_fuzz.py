"""Requests made of the OpenAPI schemas of both APIs, right ones and wrong ones: whatever comes, the answer is
one that the schema declares, and the server does not fail.

A few for each operation here. `make fuzz` sends 200 and more, `AFN_FUZZ_CASES=500` any number. The seed is
fixed: the same schema gives the same requests.
"""

import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

# Its parts warn when they are imported.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

from afn_project.api import api
from afn_project.langfuse_api import api as langfuse_api
from tests.authorisation import world as worlds
from tests.authorisation.api_table import FILL, ROWS
from tests.authorisation.world import World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore"),  # of schemathesis and what it stands on
]
CASES = int(os.environ.get("AFN_FUZZ_CASES", "6"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def described() -> dict[str, Any]:
    """Operations by method and path."""
    found = {}
    for one in (api, langfuse_api):
        schema = schemathesis.openapi.from_dict(one.get_openapi_schema())
        for result in schema.get_all_operations():
            operation = result.ok()
            found[f"{operation.method.upper()} {operation.full_path}"] = operation
    return found


OPERATIONS = described()


@schemathesis.serializer("application/x-ndjson")
def _lines(context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer("application/octet-stream")
def _bytes(context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once: each call is undone for itself."""
    with django_db_blocker.unblock(), worlds.visited(tmp_path_factory.mktemp("world")) as made:
        yield made


def cases(operation: Any) -> st.SearchStrategy[Any]:
    wanted = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.one_of(wanted[0], wanted[0], wanted[1])


def known(world: World, name: str) -> dict[str, Any]:
    """Path parameters of what there is."""
    row = ROWS[name]
    values = {parameter: str(value) for parameter, value in (FILL | row.path).items()}
    return {one: str(world.own[text[1:-1]]) if text[0] == "[" else text for one, text in values.items()}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@pytest.mark.usefixtures("fake_embedder")
def test_every_answer_is_one_that_the_schema_declares(world: World, name: str) -> None:
    operation, there = OPERATIONS[name], known(world, name)
    headers = world.callers["superuser"].headers(operation.full_path)

    # Its threads are not to begin before there is a database for the tests.
    from afn_project.wsgi import application

    @seed(20_261_126)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if CASES < 100 else [Phase.generate, Phase.shrink],
    )
    @given(case=cases(operation), is_there=st.sampled_from([True, True, True, False]))
    def send(case: Any, is_there: bool) -> None:
        if is_there:
            case.path_parameters = {one: there.get(one, value) for one, value in case.path_parameters.items()}
        with transaction.atomic():
            response = case.call(app=application, headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    send()
