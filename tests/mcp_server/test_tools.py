"""Tools: found, called, and refusing what does not fit their schemas."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError

from tests.serving.conftest import Place, Site

from .conftest import Connect, add_key, make

NAMES = ["search_prompts", "get_prompt", "list_versions", "diff_versions", "render_prompt", "add_evaluation"]


@pytest.fixture(scope="session")
def two(site: Site) -> str:
    """A prompt of two versions."""
    name = make(
        site, "tools/two", "Rewrite {{resume}}", labels=["production"], tags=["career"], status="active"
    )
    change = {
        "content": "Rewrite {{resume}}\nfor {{role}}",
        "config": {"temperature": 0.2},
        "message": "Role",
    }
    assert site.call("POST", "/prompts/tools/two/versions", change).status == 201
    return name


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """The structured result; that it fits the schema is for the client to check."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def problems(client: Client, tool: str, **arguments: Any) -> tuple[int, Any]:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.content[0].text
    return result.structured_content["status"], result.structured_content["detail"]


async def test_tools_say_what_they_take_give_and_do(connect: Connect) -> None:
    async with connect() as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == NAMES
    for tool in tools.values():
        assert tool.description
        assert tool.title
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations.read_only_hint is (tool.name != "add_evaluation")
        assert tool.annotations.destructive_hint is False
        assert tool.annotations.open_world_hint is False
    assert tools["search_prompts"].input_schema["properties"]["k"]["maximum"] == 100
    assert tools["add_evaluation"].input_schema["required"] == ["name", "score"]


async def test_search_finds_and_filters(connect: Connect, two: str) -> None:
    async with connect() as client:
        found = await call(
            client, "search_prompts", query="rewrite resume", k=3, tag="career", mode="keyword"
        )
        assert [hit["name"] for hit in found["results"]] == [two]
        assert "content" not in found["results"][0]
        assert found["plan"]["exhaustive"] is True
        found = await call(client, "search_prompts", query="rewrite resume", status="archived", tag="career")
        assert found["results"] == []


async def test_a_prompt_is_read_by_label_version_and_time(connect: Connect, two: str) -> None:
    async with connect() as client:
        newest = await call(client, "get_prompt", name=two)
        assert newest["version"] == 2
        assert newest["labels"] == {"latest": 2, "production": 1}
        assert list(newest["variables"]) == ["resume", "role"]
        assert newest["config"] == {"temperature": 0.2}
        for which in (
            {"label": "production"},
            {"version": 1},
            {"label": "production", "at": "2999-01-01T00:00:00Z"},
        ):
            assert (await call(client, "get_prompt", name=two, **which))["version"] == 1
        assert (await call(client, "get_prompt", name=newest["id"]))["name"] == two
        status, [problem] = await problems(client, "get_prompt", name=two, version=9)
        assert (status, problem["field"], problem["got"]) == (404, "version", "9")
        status, [problem] = await problems(client, "get_prompt", name="nobody")
        assert (status, problem["field"], problem["got"]) == (404, "prompt", "'nobody'")
        status, [problem] = await problems(client, "get_prompt", name=two, at="2000-01-01T00:00:00Z")
        assert (status, problem["field"]) == (404, "at")


async def test_versions_are_listed_and_compared(connect: Connect, two: str) -> None:
    async with connect() as client:
        listed = await call(client, "list_versions", name=two, limit=1)
        assert (listed["total"], listed["items"][0]["version"], listed["items"][0]["message"]) == (
            2,
            2,
            "Role",
        )
        diff = await call(client, "diff_versions", name=two, from_version=1, to_version=2)
        assert "+for {{role}}" in diff["unified"]
        assert diff["changes"] == [{"field": "config.temperature", "from_value": None, "to_value": 0.2}]
        status, [problem] = await problems(client, "diff_versions", name=two, from_version=1, to_version=7)
        assert (status, problem["got"]) == (404, "7")


async def test_a_prompt_is_rendered(connect: Connect, two: str) -> None:
    async with connect() as client:
        values = {"resume": "職務経歴", "role": "Engineer"}
        assert (await call(client, "render_prompt", name=two, variables=values))["content"] == (
            "Rewrite 職務経歴\nfor Engineer"
        )
        partial = await call(client, "render_prompt", name=two, allow_partial=True)
        assert partial["missing"] == ["resume", "role"]
        status, found = await problems(client, "render_prompt", name=two, variables={"role": 5, "x": 1})
        assert status == 422
        assert [(one["field"], one["got"]) for one in found] == [
            ("variables.x", "another one"),
            ("variables.resume", "nothing"),
            ("variables.role", "int"),
        ]


async def test_an_evaluation_is_recorded(connect: Connect, site: Site, two: str) -> None:
    async with connect() as client:
        made = await call(
            client, "add_evaluation", name=two, version=1, score=0.75, score_name="tone", metrics={"n": 4}
        )
        assert (made["version"], made["name"], made["score"], made["metrics"]) == (1, "tone", 0.75, {"n": 4})
        listed = site.get("/prompts/tools/two/evaluations").json["items"]
        assert made["id"] in [one["id"] for one in listed]
        status, [problem] = await problems(client, "add_evaluation", name=two, score=0.5, score_name="a b\n")
        assert (status, problem["field"]) == (422, "score_name")


@pytest.mark.parametrize(
    ("tool", "arguments", "field", "got"),
    [
        ("search_prompts", {}, "query", "nothing"),
        ("search_prompts", {"query": ""}, "query", "''"),
        ("search_prompts", {"query": "x", "k": 0}, "k", "0"),
        ("search_prompts", {"query": "x", "k": 101}, "k", "101"),
        ("search_prompts", {"query": "x", "k": "5"}, "k", "'5'"),
        ("search_prompts", {"query": "x", "mode": "best"}, "mode", "'best'"),
        ("search_prompts", {"query": "a\0"}, "query", None),
        ("get_prompt", {"name": "x", "spare": 1}, "spare", "another one"),
        ("get_prompt", {"name": ["x"]}, "name", "list"),
        ("get_prompt", {"name": "x", "at": "soon"}, "at", "'soon'"),
        ("get_prompt", {"name": "x", "at": "2026-01-01T00:00:00"}, "at", None),
        ("list_versions", {"name": "x", "limit": 10**30}, "limit", None),
        ("add_evaluation", {"name": "x", "score": 1.5}, "score", "1.5"),
        ("add_evaluation", {"name": "x", "score": True}, "score", "True"),
        ("add_evaluation", {"name": "x", "score": 0.5, "item": "x" * 300}, "item", None),
    ],
)
async def test_wrong_arguments_are_named(
    connect: Connect, tool: str, arguments: dict[str, Any], field: str, got: str | None
) -> None:
    async with connect() as client:
        status, [problem] = await problems(client, tool, **arguments)
    assert (status, problem["field"]) == (422, field)
    assert problem["expected"]
    assert got is None or problem["got"] == got


async def test_an_unknown_tool_is_an_error_of_the_protocol(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises(MCPError, match="search_prompts") as caught:
            await client.call_tool("drop_table", {})
        assert caught.value.code == -32602


@pytest.mark.parametrize(
    ("scopes", "reason"),
    [(["read"], "scope 'write'"), (["read", "write"], "permission prompts.add_evaluation")],
)
async def test_who_may_only_read_records_nothing(
    connect: Connect, place: Place, site: Site, two: str, scopes: list[str], reason: str
) -> None:
    before = site.get("/prompts/tools/two/evaluations").json["total"]
    async with connect(key=add_key(place, "reader", *scopes)) as client:
        assert (await call(client, "get_prompt", name=two))["name"] == two
        status, detail = await problems(client, "add_evaluation", name=two, score=0.5)
    assert status == 403
    assert reason in detail
    assert site.get("/prompts/tools/two/evaluations").json["total"] == before


async def test_a_write_is_seen_at_once_on_either_side(connect: Connect, site: Site) -> None:
    name = make(site, f"tools/fresh-{id(connect)}", "Zero")
    async with connect() as client:
        for number in range(1, 11):
            change = {"content": f"Number {number}"}
            assert site.call("PATCH", f"/prompts/{name}", change).status == 200
            assert (await client.get_prompt(name)).messages[0].content.text == f"Number {number}"
            made = await call(client, "add_evaluation", name=name, score=number / 10)
            newest = site.get(f"/prompts/{name}/evaluations").json["items"]
            assert made["id"] in [one["id"] for one in newest]
