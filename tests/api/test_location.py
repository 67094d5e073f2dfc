"""What was made says where it is, and is there."""

from typing import Any

import pytest

from .conftest import V1, Api

NEW = {"name": "a/b é", "title": "A", "content": "x"}


@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        ("/prompts", {"name": "new", "title": "N", "content": "x"}, "name"),
        ("/prompts/a/b é/versions", {"content": "y"}, "version"),
        ("/datasets", {"name": "questions? 100 %"}, "name"),
        ("/vectors/collections", {"name": "meine Notizen"}, "name"),
    ],
)
def test_it_leads_to_what_was_made(api: Api, path: str, body: dict[str, Any], member: str) -> None:
    assert api.post("/prompts", NEW).status_code == 201
    made = api.post(path, body)
    assert made.status_code == 201
    assert made["Location"].isascii()
    found = api.get(made["Location"].removeprefix(V1))
    assert (found.status_code, found.json()[member]) == (200, made.json()[member])
