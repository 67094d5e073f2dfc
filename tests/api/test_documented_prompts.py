"""The examples of the documentation, one after the other, as somebody would copy them."""

import re
import shlex
from typing import Any

from afn_project.env import BASE_DIR
from tests.api.conftest import V1, Api

# What the text around it says: a policy without its evidence, and a time before there was any prompt.
REFUSED = {
    "PUT /prompts/support/triage/labels/production": 409,
    "GET /prompts/support/triage?label=production&at": 404,
}


def commands(text: str) -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    found = [
        one for block in blocks for one in re.split(r"^(?=curl )", block, flags=re.MULTILINE) if one.strip()
    ]
    return [shlex.split(one) for one in found]


def test_the_examples_of_prompts_work(api: Api) -> None:
    page = (BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    section = page[page.index("## Prompts\n") : page.index("## Search\n")]
    found = commands(section)
    assert len(found) > 25
    prompt_id = ""
    for _, *arguments in found:
        options: dict[str, str] = {}
        address = ""
        while arguments:
            one = arguments.pop(0)
            if one.startswith("-"):
                options[one] = arguments.pop(0)
            else:
                address = one
        path = address.replace("$AFN", "").replace("$ID", prompt_id)
        method = options.get("-X", "POST" if "-d" in options else "GET")
        response = api.client.generic(
            method, V1 + path, options.get("-d", ""), content_type="application/json", headers=api.headers
        )
        wanted = [status for start, status in REFUSED.items() if f"{method} {path}".startswith(start)]
        assert response.status_code in (wanted or [200, 201, 204]), (method, path, response.content)
        body: Any = response.json() if response.content else {}
        prompt_id = (
            body.get("items", [body])[0].get("id") or prompt_id
            if path in ("/prompts", "/trash")
            else prompt_id
        )
