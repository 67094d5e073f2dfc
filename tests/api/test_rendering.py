"""Prompts filled in by the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from prompts.models import Prompt
from prompts.rendering import template as rendering
from prompts.rendering.errors import RenderingUnavailable
from tests.api.conftest import Api, problems

Make = Callable[..., Prompt]
CHAT = [
    {"role": "system", "content": "Answer in a {{tone}} tone."},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "{{question}}"},
]
TONE = {"tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}}


@pytest.fixture
def chat(api: Api) -> str:
    new = {
        "name": "support/triage",
        "title": "T",
        "content": CHAT,
        "variables": TONE,
        "config": {"model": "m"},
    }
    assert api.post("/prompts", new | {"labels": ["production"]}).status_code == 201
    return "/prompts/support/triage"


def test_a_chat_is_filled_in(api: Api, chat: str) -> None:
    history = [{"role": "user", "content": "Hi {{question}}"}]
    body = {"variables": {"question": "Why?"}, "placeholders": {"history": history}, "label": "production"}
    answer = api.post(f"{chat}/render", body).json()
    assert answer["content"] == [
        {"role": "system", "content": "Answer in a formal tone."},
        *history,
        {"role": "user", "content": "Why?"},
    ]
    assert (answer["version"], answer["labels"], answer["config"]) == (
        1,
        ["latest", "production"],
        {"model": "m"},
    )
    assert answer["missing"] == []


def test_what_is_missing_is_told_or_left(api: Api, chat: str) -> None:
    refused = api.post(f"{chat}/render", {"variables": {"tone": "rude", "x": 1}})
    assert refused.status_code == 422
    assert problems(refused) == {
        "variables.x": "Expected a variable of this prompt (tone, question), got another one",
        "variables.tone": "Expected one of formal, casual, got 'rude'",
        "variables.question": "Expected text, got nothing",
        "placeholders.history": "Expected a list of messages, got nothing",
    }
    partial = api.post(f"{chat}/render", {"allow_partial": True}).json()
    assert partial["missing"] == ["question", "history"]
    assert partial["content"][1:] == CHAT[1:]


def test_the_version_can_be_named(api: Api, make: Make) -> None:
    prompt = make("p", "one {{a}}")
    prompt.content = "two {{a}}"
    prompt.save()
    body = {"variables": {"a": "x"}}
    assert api.post("/prompts/p/render", body).json()["content"] == "two x"
    assert api.post("/prompts/p/render", body | {"version": 1}).json()["content"] == "one x"
    assert api.post("/prompts/p/render", body | {"version": 9}).status_code == 404
    assert api.post("/prompts/p/render", body | {"label": "none"}).status_code == 404
    assert api.post("/prompts/p/render", body | {"version": 1, "label": "latest"}).status_code == 422


def test_jinja_is_rendered_by_its_workers(api: Api, make: Make) -> None:
    make("p", "{% for one in items %}{{ one }};{% endfor %}", template_format="jinja2")
    answer = api.post("/prompts/p/render", {"variables": {"items": [1, "{{ x }}"]}})
    assert answer.json()["content"] == "1;{{ x }};"
    make("loop", "{% for one in items %}{{ one.a.b }}{% endfor %}", template_format="jinja2")
    failed = api.post("/prompts/loop/render", {"variables": {"items": [1]}})
    assert failed.status_code == 422
    assert "content" in problems(failed)


@pytest.mark.parametrize("depth", [17, 100, 900])
def test_deep_values_are_refused(api: Api, make: Make, depth: int) -> None:
    make("p", "{{a}}", variables={"a": {"type": "json"}})
    value: Any = 1
    for _ in range(depth):
        value = [value]
    assert api.post("/prompts/p/render", {"variables": {"a": value}}).status_code == 422


def test_ten_thousand_levels_are_refused(api: Api, make: Make) -> None:
    make("p", "{{a}}", variables={"a": {"type": "json"}})
    body = b'{"variables": {"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}"
    assert api.post("/prompts/p/render", body).status_code == 422


def test_tens_of_thousands_of_unknown_names_are_told_briefly(api: Api, make: Make) -> None:
    make("p", "{{a}}")
    names = {f"x{n}": "" for n in range(50_000)}
    response = api.post(
        "/prompts/p/render", {"variables": names, "placeholders": {name: [] for name in names}}
    )
    assert response.status_code == 422
    assert len(response.content) < 20_000


def test_without_workers_it_is_the_servers_fault(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = make("p", "{{ a }}", template_format="jinja2")

    def fail(*arguments: Any, **options: Any) -> Any:
        raise RenderingUnavailable("content", "a process that renders templates", "none that was free")

    monkeypatch.setattr(rendering.jinja, "render", fail)
    monkeypatch.setattr(rendering.jinja, "analyse", fail)
    rendering._known_names.cache_clear()
    for response in (
        api.post("/prompts/p/render", {"variables": {"a": 1}}),
        api.patch("/prompts/p", {"content": "{{ b }}"}),
    ):
        assert response.status_code == 503
        assert response["Retry-After"]
        assert "none that was free" in problems(response)["content"]
    assert prompt.versions.count() == 1


@pytest.mark.parametrize(
    "column", ["variables = '[1]'", "variables = '5'", "content = 'no chat', type = 'chat'"]
)
def test_what_plain_sql_wrote_is_told_and_no_crash(api: Api, make: Make, column: str) -> None:
    prompt = make("p", "{{a}}")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER afn_prompts_kept")
        cursor.execute(f"UPDATE prompts SET {column}")
    for response in (
        api.get("/prompts/p"),
        api.post("/prompts/p/render", {"variables": {"a": "x"}}),
        api.get("/prompts/p/versions/1"),
    ):
        assert response.status_code in (200, 409, 422)
    assert prompt.versions.count() == 1
