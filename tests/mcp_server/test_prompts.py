"""Native prompts: listed, filled in by arguments, completed."""

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import Prompt, PromptReference, ResourceTemplateReference

from tests.serving.conftest import Place, Site

from .conftest import Connect, make

TYPED = {
    "count": {"type": "number", "default": 3, "description": "How many."},
    "tone": {"type": "enum", "values": ["formal", "friendly", "Firm"], "required": True},
    "tags": {"type": "list"},
    "data": {"type": "json"},
}
TYPED_CONTENT = "{{who}} {{count}} {{tone}} {{tags}} {{data}}"
VALUES = {"who": "Aoi", "tone": "formal", "tags": '["a", 2]', "data": '{"x": [1, "ä"]}'}


async def all_prompts(client: Client) -> dict[str, Prompt]:
    found: dict[str, Prompt] = {}
    cursor = None
    while True:
        page = await client.list_prompts(cursor=cursor)
        assert len(page.prompts) <= 100
        assert not {one.name for one in page.prompts} & set(found)
        found |= {one.name: one for one in page.prompts}
        cursor = page.next_cursor
        if cursor is None:
            return found


async def text_of(client: Client, name: str, arguments: dict[str, str] | None = None) -> str:
    found = await client.get_prompt(name, arguments)
    [message] = found.messages
    assert message.role == "user"
    return message.content.text


async def refusal(client: Client, name: str, arguments: dict[str, str]) -> list[dict[str, str]]:
    """What is wrong with the arguments, by field."""
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    assert caught.value.code == -32602
    detail = caught.value.data["detail"]
    assert all(one["field"] in caught.value.message for one in detail)
    return [{name: one[name] for name in ("field", "expected", "got")} for one in detail]


@pytest.fixture(scope="session")
def typed(site: Site) -> str:
    return make(site, "get/typed", TYPED_CONTENT, variables=TYPED)


async def test_prompts_in_use_are_listed_with_their_arguments(
    connect: Connect, site: Site, typed: str
) -> None:
    for status in ("draft", "active", "archived"):
        if site.get(f"/prompts/list/{status}").status == 404:
            make(site, f"list/{status}", "Hello", status=status)
    if site.get("/prompts/list/described").status == 404:
        make(site, "list/described", "Hello", metadata={"description": "Says hello."})
        make(site, "list/trashed", "Hello")
        assert site.call("DELETE", "/prompts/list/trashed").status == 204
    async with connect() as client:
        prompts = await all_prompts(client)
    assert {"list/draft", "list/active"} <= set(prompts)
    assert not {"list/archived", "list/trashed"} & set(prompts)
    assert prompts["list/described"].description == "Says hello."
    assert prompts["list/active"].title == "T list/active"
    shown = {one.name: one for one in prompts[typed].arguments or []}
    assert list(shown) == ["who", "count", "tone", "tags", "data", "_label", "_version"]
    assert [name for name, one in shown.items() if one.required] == ["who", "tone", "tags", "data"]
    assert shown["count"].description == "How many. A number. Default: 3."
    assert shown["tone"].description == "One of formal, friendly, Firm."
    assert "JSON" in str(shown["data"].description)


async def test_a_thousand_prompts_come_in_pages(connect: Connect, place: Place, site: Site) -> None:
    place.sql(
        "INSERT OR IGNORE INTO prompts (user_id, name, title, content) "
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
        "SELECT (SELECT id FROM users LIMIT 1), printf('paging/%04d', i), 'Of many', 'Hello {{who}}' FROM n"
    )
    async with connect() as client:
        found = [name for name in await all_prompts(client) if name.startswith("paging/")]
        assert found == [f"paging/{number:04}" for number in range(1_000)]
        for wrong in ("x", "!", "AAAA", "é"):
            with pytest.raises(MCPError, match=r"cursor: Expected a cursor"):
                await client.list_prompts(cursor=wrong)


async def test_arguments_are_read_as_their_types(connect: Connect, typed: str) -> None:
    async with connect() as client:
        assert await text_of(client, typed, VALUES) == 'Aoi 3 formal a, 2 {"x": [1, "ä"]}'
        assert (await text_of(client, typed, VALUES | {"count": "1.5"})).startswith("Aoi 1.5 ")
        assert (await text_of(client, typed, VALUES | {"count": ""})).startswith("Aoi 3 ")
        assert (await text_of(client, typed, VALUES | {"data": "null"})).endswith(" null")
        assert (await text_of(client, typed, VALUES | {"who": "{{tone}}"})).startswith("{{tone}} ")


@pytest.mark.parametrize(
    ("change", "field", "expected", "got"),
    [
        ({"count": "many"}, "arguments.count", "a number", "'many'"),
        ({"count": "true"}, "arguments.count", "a number", "'true'"),
        ({"count": "NaN"}, "arguments.count", "a number", "'NaN'"),
        ({"count": "9" * 5_000}, "arguments.count", "a number", None),
        ({"tone": "loud"}, "arguments.tone", "one of formal, friendly, Firm", "'loud'"),
        ({"tags": "a, b"}, "arguments.tags", "a list of texts and numbers as JSON", "'a, b'"),
        ({"tags": "{}"}, "arguments.tags", "a list of texts and numbers", "dict"),
        ({"data": "text"}, "arguments.data", "JSON, with quotes around a text", "'text'"),
        ({"data": "[" * 100_000}, "arguments.data", "JSON, with quotes around a text", None),
        ({"data": "[" * 50 + "]" * 50}, "arguments.data", "at most 16 levels", "a deeper value"),
        ({"who": "a\0b"}, "arguments.who", "text without NUL and lone surrogates", "NUL at character 1"),
        ({"_version": "0"}, "arguments._version", "the number of a version", "'0'"),
        ({"_version": "x"}, "arguments._version", "the number of a version", "'x'"),
        ({"_version": "7"}, "arguments._version", "a version of get/typed", "7"),
        ({"_label": "nobody"}, "arguments._label", "a label of get/typed", "'nobody'"),
        ({"_label": "latest", "_version": "1"}, "arguments._version", None, None),
        ({"spare": "x"}, "arguments.spare", None, "another one"),
    ],
)
async def test_a_wrong_argument_is_named(
    connect: Connect, typed: str, change: dict[str, str], field: str, expected: str | None, got: str | None
) -> None:
    async with connect() as client:
        [problem] = await refusal(client, typed, VALUES | change)
    assert problem["field"] == field
    assert expected is None or problem["expected"] == expected
    assert got is None or problem["got"] == got


async def test_all_that_is_missing_is_named_at_once(connect: Connect, typed: str) -> None:
    async with connect() as client:
        problems = await refusal(client, typed, {"who": "Aoi", "spare": "x"})
    assert [one["field"] for one in problems] == [
        f"arguments.{name}" for name in ("spare", "tone", "tags", "data")
    ]
    assert problems[1]["got"] == "nothing"


async def test_a_chat_keeps_its_order_and_tells_its_roles(connect: Connect, site: Site) -> None:
    content = [
        {"role": "system", "content": "Be {{tone}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "{{question}}"},
    ]
    if site.get("/prompts/get/chat").status == 404:
        make(site, "get/chat", content)
    history = json.dumps([{"role": "user", "content": "前"}, {"role": "developer", "content": "x"}])
    async with connect() as client:
        shown = {one.name: one for one in (await all_prompts(client))["get/chat"].arguments or []}
        assert shown["history"].required is False
        values = {"tone": "kind", "question": "Why?"}
        found = (await client.get_prompt("get/chat", values)).messages
        assert [(one.role, one.content.text) for one in found] == [
            ("user", "Be kind."),
            ("assistant", "Hello"),
            ("user", "Why?"),
        ]
        assert found[0].content.meta == {"afn/role": "system"}
        assert found[2].content.meta is None
        found = (await client.get_prompt("get/chat", values | {"history": history})).messages
        assert [one.content.text for one in found] == ["Be kind.", "前", "x", "Hello", "Why?"]
        assert found[2].content.meta == {"afn/role": "developer"}
        [problem] = await refusal(client, "get/chat", values | {"history": "nonsense"})
        assert problem["field"] == "arguments.history"
        [problem] = await refusal(client, "get/chat", values | {"history": '[{"role": "user"}]'})
        assert problem["field"] == "arguments.history[0].content"


async def test_a_jinja_template_takes_texts_and_json(connect: Connect, site: Site) -> None:
    if site.get("/prompts/get/jinja").status == 404:
        content = "{{ name }}:{% for one in items %} {{ one.a }}{% endfor %}{% if n > 3 %} many{% endif %}"
        make(site, "get/jinja", content, template_format="jinja2", variables={"n": {"type": "number"}})
    async with connect() as client:
        values = {"name": "Aoi", "items": '[{"a": 1}, {"a": "二"}]', "n": "4"}
        assert await text_of(client, "get/jinja", values) == "Aoi: 1 二 many"
        [problem] = await refusal(client, "get/jinja", values | {"items": '[{"a": 1}'})
        assert problem["field"] == "arguments.items"


async def test_labels_and_versions_can_be_chosen(connect: Connect, site: Site) -> None:
    if site.get("/prompts/get/labelled").status == 404:
        make(site, "get/labelled", "One {{x}}", labels=["production"])
        assert site.call("POST", "/prompts/get/labelled/versions", {"content": "Two"}).status == 201
    async with connect() as client:
        assert await text_of(client, "get/labelled") == "Two"
        assert await text_of(client, "get/labelled", {"_label": "production", "x": "1"}) == "One 1"
        assert await text_of(client, "get/labelled", {"_version": "1", "x": "1"}) == "One 1"
        assert await text_of(client, "get/labelled", {"_label": "", "_version": ""}) == "Two"
        found = await client.get_prompt("get/labelled", {"_label": "production", "x": "1"})
        assert found.meta["afn/version"] == 1
        assert found.meta["afn/labels"] == ["production"]


async def test_a_variable_named_like_a_choice_is_the_prompts_own(connect: Connect, site: Site) -> None:
    if site.get("/prompts/get/own").status == 404:
        make(site, "get/own", "Stick {{_label}} on it")
    async with connect() as client:
        assert await text_of(client, "get/own", {"_label": "a stamp"}) == "Stick a stamp on it"
        shown = (await all_prompts(client))["get/own"].arguments or []
        assert [one.name for one in shown] == ["_label", "_version"]


async def test_what_a_prompt_includes_is_in_its_place(connect: Connect, site: Site) -> None:
    if site.get("/prompts/get/outer").status == 404:
        make(site, "get/part", "Dear {{who}}")
        make(site, "get/outer", "@@@langfusePrompt:name=get/part|label=latest@@@!")
    async with connect() as client:
        assert await text_of(client, "get/outer", {"who": "Aoi"}) == "Dear Aoi!"
        assert (await all_prompts(client))["get/outer"].arguments[0].name == "who"


async def test_japanese_goes_both_ways(connect: Connect, site: Site) -> None:
    name = "業務/記事 要約?"
    if site.call("GET", "/search?q=x").status == 200 and not await _is_there(connect, name):
        make(site, name, "{{対象}}のために要約", language="ja", tags=["要約"])
    async with connect() as client:
        shown = (await all_prompts(client))[name]
        assert (shown.arguments or [])[0].name == "対象"
        assert await text_of(client, name, {"対象": "経営者😀"}) == "経営者😀のために要約"
        [problem] = await refusal(client, name, {"宛先": "x"} | {"対象": "y"})
        assert problem["field"] == "arguments.宛先"
        listed = await _resource(client, name)
        read = await client.read_resource(listed)
        assert read.contents[0].text == "{{対象}}のために要約"


async def _is_there(connect: Connect, name: str) -> bool:
    async with connect() as client:
        return name in await all_prompts(client)


async def _resource(client: Client, name: str) -> str:
    cursor = None
    while True:
        page = await client.list_resources(cursor=cursor)
        for one in page.resources:
            if one.name == name:
                return str(one.uri)
        cursor = page.next_cursor
        assert cursor


@pytest.mark.parametrize("name", ["nobody", "a\0b", "x" * 300, "", "list/archived"])
async def test_an_unknown_prompt_is_an_error(connect: Connect, site: Site, name: str) -> None:
    if name == "list/archived" and site.get("/prompts/list/archived").status == 404:
        make(site, name, "Hello", status="archived")
    async with connect() as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt(name)
        assert caught.value.code == -32602
        assert caught.value.data["status"] in (404, 422)


async def complete(client: Client, ref: Any, name: str, value: str) -> list[str]:
    found = await client.complete(ref=ref, argument={"name": name, "value": value})
    assert len(found.completion.values) <= 100
    return found.completion.values


async def test_arguments_are_completed(connect: Connect, site: Site, place: Place, typed: str) -> None:
    ref = PromptReference(name=typed)
    async with connect() as client:
        assert client.server_capabilities.completions is not None
        assert await complete(client, ref, "tone", "") == ["formal", "friendly", "Firm"]
        assert await complete(client, ref, "tone", "F") == ["formal", "friendly", "Firm"]
        assert await complete(client, ref, "tone", "fi") == ["Firm"]
        assert await complete(client, ref, "tone", "m") == ["formal", "Firm"]
        assert await complete(client, ref, "who", "A") == []
        assert await complete(client, ref, "nothing", "A") == []
        assert await complete(client, ref, "_label", "la") == ["latest"]
        assert await complete(client, ref, "_version", "") == ["1"]
        with pytest.raises(MCPError):
            await complete(client, PromptReference(name="nobody"), "tone", "")


async def test_names_are_completed(connect: Connect, site: Site, typed: str) -> None:
    async with connect() as client:
        [template] = (await client.list_resource_templates()).resource_templates
        ref = ResourceTemplateReference(uri=template.uri_template)
        assert (await complete(client, ref, "name", "GET/TY")) == [typed]
        assert await complete(client, ref, "other", "get") == []
        with pytest.raises(MCPError):
            await complete(client, ResourceTemplateReference(uri="file:///etc/passwd"), "name", "")


@pytest.mark.parametrize(
    "uri", ["afn://prompts/", "afn://prompts/nobody", "file:///etc/passwd", "afn://prompts/%00"]
)
async def test_an_unknown_resource_is_an_error(connect: Connect, uri: str) -> None:
    async with connect() as client:
        with pytest.raises(MCPError):
            await client.read_resource(uri)


async def test_no_list_promises_to_tell_of_changes(connect: Connect) -> None:
    async with connect() as client:
        capabilities = client.server_capabilities
        assert capabilities.prompts is not None
        assert not capabilities.prompts.list_changed
        assert not capabilities.tools.list_changed
        assert not capabilities.resources.list_changed


async def test_a_stored_prompt_that_cannot_be_rendered_hides_no_other(
    connect: Connect, place: Place, site: Site
) -> None:
    place.sql(
        "INSERT OR IGNORE INTO prompts (user_id, name, title, content, type) "
        "SELECT id, 'get/broken', 'Broken', 'no JSON', 'chat' FROM users LIMIT 1"
    )
    async with connect() as client:
        prompts = await all_prompts(client)
        assert [one.name for one in prompts["get/broken"].arguments or []] == ["_label", "_version"]
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("get/broken")
        assert caught.value.data["detail"][0]["field"] == "content"
