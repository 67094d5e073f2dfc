"""docs/mcp.md against the server."""

import json
import re

import pytest

from afn_project.env import BASE_DIR
from prompts.mcp_server.tools import OPERATIONS
from prompts.rendering.signature import TYPES
from tests.test_docs import tables

PAGE = (BASE_DIR / "docs" / "mcp.md").read_text(encoding="utf-8")
TABLES = tables(BASE_DIR / "docs" / "mcp.md")


def test_every_tool_is_there_with_what_it_takes() -> None:
    found = {name: row for name, row in TABLES["Tools"].items() if name in OPERATIONS}
    assert set(found) == set(OPERATIONS)
    for name, operation in OPERATIONS.items():
        named = re.findall(r"`(\w+)`", found[name][0])
        assert set(named) == set(operation.tool.input_schema["properties"]), name


def test_every_type_of_a_variable_is_there() -> None:
    assert set(TYPES) <= set(TABLES["Prompts"])


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
def test_a_configuration_is_json_and_names_what_there_is(block: str) -> None:
    found = json.loads(block)
    servers = found.get("mcpServers") or found["servers"]
    for server in servers.values():
        assert {"url", "command"} & set(server)
        if "url" in server:
            assert server["url"].endswith("/mcp")
        elif server["command"] != "npx":
            assert server["args"] == ["/opt/afn/manage.py", "mcp"]
