"""The examples of docs/evidence.md, and figures that the text says they give."""

import json

import pytest
from pytest_django.fixtures import Settings

from .conftest import Api
from .documented import commands, run, section


@pytest.fixture
def triage(api: Api, settings: Settings) -> None:
    """Two versions of the prompt that the page speaks of, the first of which is in production, and prices."""
    settings.AFN_LLM_PRICES = {"gpt-5-mini": [0.25, 2.0]}
    settings.AFN_LLM_MODEL = "gpt-5-mini"
    made = [one for one in commands(section("api.md")) if any('"support/triage"' in part for part in one)]
    first = json.loads(made[0][made[0].index("-d") + 1])
    assert api.post("/prompts", first).status_code == 201
    second = first["content"] + [{"role": "system", "content": "Be short."}]
    assert api.post("/prompts/support/triage/versions", {"content": second}).status_code == 201


@pytest.mark.usefixtures("triage")
def test_the_examples_of_evidence_work(api: Api) -> None:
    done = list(run(api, section("evidence.md")))
    found = dict(done)
    assert len(found) > 12
    assert found["GET /prompts/support/triage/labels/production/evidence?version=2"]["allowed"] is False
    split = found["GET /prompts/support/triage/labels/production/split"]
    assert [arm["weight"] for arm in split["arms"]] == [90, 10]
    assert sum(arm["outcomes"] for arm in split["arms"]) == 1
    (outputs,) = (body["items"] for what, body in done if what.startswith("GET /runs/"))
    assert [(one["item"], one["problem"], one["scores"]) for one in outputs] == [
        ("q1", "", {"": 1.0, "exact_match": 1.0, "latency": 1.0})
    ]
