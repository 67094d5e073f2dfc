"""The operations of Turso's Platform API that AFN may use, and what a request to each may hold.

Written after the ``openapi.json`` of https://docs.turso.tech/api-reference; ``page`` is where each is
described there.
"""

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Operation:
    """``path`` with its parameters in groups; query and body as names with their patterns or types."""

    page: str
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    required: frozenset[str] = frozenset()

    def problem(self, query: list[tuple[str, str]], body: Any) -> str:
        """What is wrong with a request, empty where nothing is."""
        if len({name for name, _ in query}) != len(query):
            return "a query field twice"
        for name, value in query:
            if name not in self.query or not re.fullmatch(self.query[name], value):
                return f"query field {name}={value}"
        if self.body is None:
            return "a body" if body is not None else ""
        return object_problem(body, self.body, self.required)


def object_problem(value: Any, fields: dict[str, Any], required: frozenset[str]) -> str:
    if not isinstance(value, dict):
        return "no JSON object as body"
    if missing := required - set(value):
        return f"body without {', '.join(sorted(missing))}"
    for name, content in value.items():
        expected = fields.get(name)
        if isinstance(expected, dict):
            if problem := object_problem(content, expected, frozenset({"type"})):
                return f"{name}: {problem}"
        elif isinstance(expected, str):
            if not isinstance(content, str) or not re.fullmatch(expected, content):
                return f"body field {name}={content!r}"
        elif expected is None or type(content) is not expected:
            return f"body field {name}={content!r}"
    return ""


DATABASES = r"/v1/organizations/([^/]+)/databases"
# CreateDatabaseInput: "only lowercase letters, numbers, dashes. No longer than 64 characters".
NAME = r"[a-z0-9-]{1,64}"
OPERATIONS = (
    # Turso's own command line sends `cursor` where an answer has `pagination.next`; no page tells of it.
    Operation("databases/list", "GET", DATABASES, {"group": ".+", "parent": ".+", "cursor": ".+"}),
    Operation(
        "databases/create",
        "POST",
        DATABASES,
        body={
            "name": NAME,
            "group": ".+",
            "seed": {"type": "database|database_upload", "name": NAME, "timestamp": ".+"},
            "size_limit": ".+",
        },
        required=frozenset({"name", "group"}),
    ),
    Operation("databases/delete", "DELETE", rf"{DATABASES}/({NAME})"),
    Operation(
        "databases/update-configuration",
        "PATCH",
        rf"{DATABASES}/({NAME})/configuration",
        body={
            "size_limit": ".+",
            "allow_attach": bool,
            "block_reads": bool,
            "block_writes": bool,
            "delete_protection": bool,
        },
    ),
    Operation(
        "databases/create-token",
        "POST",
        rf"{DATABASES}/({NAME})/auth/tokens",
        {"expiration": r"never|([0-9]+[wdhms])+", "authorization": "full-access|read-only"},
    ),
    Operation("groups/list", "GET", r"/v1/organizations/([^/]+)/groups"),
    Operation("locations/list", "GET", r"/v1/locations"),
)
