"""The examples of docs/evidence.md, and figures that the text says they give."""

import pytest
from pytest_django.fixtures import Settings

from .conftest import Api
from .documented import run, section


@pytest.fixture
def triage(api: Api, settings: Settings) -> None:
    """Two versions of the prompt that the page speaks of, the first of which is in production, and prices."""
    settings.AFN_LLM_PRICES = {"gpt-5-mini": [0.25, 2.0]}
    settings.AFN_LLM_MODEL = "gpt-5-mini"
    first = {
        "name": "support/triage",
        "title": "Triage",
        "content": "1 {{question}}",
        "labels": ["production"],
    }
    assert api.post("/prompts", first).status_code == 201
    assert api.post("/prompts/support/triage/versions", {"content": "2 {{question}}"}).status_code == 201


@pytest.mark.usefixtures("triage")
def test_the_examples_of_evidence_work(api: Api) -> None:
    found = dict(run(api, section("evidence.md")))
    assert len(found) > 12
    assert found["GET /prompts/support/triage/labels/production/evidence?version=2"]["allowed"] is False
    split = found["GET /prompts/support/triage/labels/production/split"]
    assert [arm["weight"] for arm in split["arms"]] == [90, 10]
    assert sum(arm["outcomes"] for arm in split["arms"]) == 1
