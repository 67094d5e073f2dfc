"""Runs the examples of a page of the documentation, one after the other, as somebody would copy them."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from afn_project.env import BASE_DIR

from .conftest import V1, Api

DONE = (200, 201, 204)


def section(page: str, start: str = "", end: str = "") -> str:
    """The text of a page of `docs`, from the heading `start` up to the heading `end`."""
    text = (BASE_DIR / "docs" / page).read_text(encoding="utf-8")
    return text[text.index(f"{start}\n") if start else 0 : text.index(f"{end}\n") if end else len(text)]


def commands(text: str) -> list[list[str]]:
    """The words of each call of curl, without comments."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    found = [
        one for block in blocks for one in re.split(r"^(?=curl )", block, flags=re.MULTILINE) if one.strip()
    ]
    return [shlex.split(one, comments=True) for one in found]


def run(api: Api, text: str, refused: Mapping[str, int] | None = None) -> Iterator[tuple[str, Any]]:
    """Send each example and give its method and path, and the body of the answer.

    `refused` are statuses other than success, by how method and path begin. `$ID` is the last prompt made,
    `$RUN` the last run.
    """
    prompt_id = run_id = ""
    for _, *arguments in commands(text):
        options: dict[str, str] = {}
        address = ""
        while arguments:
            one = arguments.pop(0)
            if one.startswith("-"):
                options[one] = arguments.pop(0)
            else:
                address = one
        path = address.replace("$AFN", "").replace("$ID", prompt_id).replace("$RUN", run_id)
        method = options.get("-X", "POST" if "-d" in options else "GET")
        response = api.client.generic(
            method, V1 + path, options.get("-d", ""), content_type="application/json", headers=api.headers
        )
        wanted = [status for start, status in (refused or {}).items() if f"{method} {path}".startswith(start)]
        assert response.status_code in (wanted or DONE), (method, path, response.content)
        body: Any = response.json() if response.content else {}
        if path in ("/prompts", "/trash"):
            prompt_id = body.get("items", [body])[0].get("id") or prompt_id
        if path == "/runs":
            run_id = body["id"]
        yield f"{method} {path}", body
