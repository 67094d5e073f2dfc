"""The examples of docs/api.md on prompts."""

from .conftest import Api
from .documented import run, section

# What the text around it says: a policy without its evidence, and a time before there was any prompt.
REFUSED = {
    "PUT /prompts/support/triage/labels/production": 409,
    "GET /prompts/support/triage?label=production&at": 404,
}


def test_the_examples_of_prompts_work(api: Api) -> None:
    found = list(run(api, section("api.md", "## Prompts", "## Search"), REFUSED))
    assert len(found) > 25
