"""Prompts of MLflow, of a client as its own is (checked against MLflow 3.17)."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError

from prompts.exchange.mlflow import import_mlflow
from prompts.exchange.problems import ImportFileError
from prompts.models import Prompt, User
from prompts.rendering import messages
from tests.prompts.test_commands import call

pytestmark = pytest.mark.django_db


class MlflowException(Exception):
    """As MLflow's."""


class Page(list[Any]):
    token: str | None = None


def version(number: int, template: Any, **more: Any) -> SimpleNamespace:
    values = {
        "version": number,
        "template": template,
        "commit_message": None,
        "tags": {},
        "aliases": [],
        "creation_timestamp": 1_767_225_600_000 + number,
        "model_config": None,
        "response_format": None,
        "user_id": None,
    }
    return SimpleNamespace(**values | more)


class Server:
    """What is registered; a page has one entry."""

    def __init__(self) -> None:
        self.prompts: dict[str, list[SimpleNamespace]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.is_old = False

    def search_prompts(self, max_results: int, page_token: str | None) -> Page:
        names = sorted(self.prompts)
        return self._page(
            [
                SimpleNamespace(
                    name=name, description=None, tags=self.tags.get(name), creation_timestamp=None
                )
                for name in names
            ],
            page_token,
        )

    def search_prompt_versions(self, name: str, max_results: int, page_token: str | None) -> Page:
        if self.is_old:
            raise MlflowException("use search_model_versions() instead")
        return self._page(self.prompts[name][::-1], page_token)

    def search_model_versions(self, filter_string: str, max_results: int, page_token: str | None) -> Page:
        return self._page(self.prompts[filter_string.removeprefix("name = ").strip("'")], page_token)

    def get_prompt_version(self, name: str, number: int) -> Any:
        return next(one for one in self.prompts[name] if one.version == number)

    def _page(self, entries: list[Any], token: str | None) -> Page:
        at = int(token or 0)
        page = Page(entries[at : at + 1])
        page.token = str(at + 1) if at + 1 < len(entries) else None
        return page


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    package, errors = ModuleType("mlflow"), ModuleType("mlflow.exceptions")
    package.MlflowClient = lambda tracking_uri, registry_uri: server  # type: ignore[attr-defined]
    errors.MlflowException = MlflowException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", package)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", errors)
    for name in (
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
        "MLFLOW_HTTP_REQUEST_TIMEOUT",
        "MLFLOW_DISABLE_TELEMETRY",
    ):
        monkeypatch.setenv(name, "1")
    return server


@pytest.mark.parametrize("is_old", [False, True])
def test_versions_aliases_and_messages_come_over(server: Server, user: User, is_old: bool) -> None:
    server.is_old = is_old
    chat = [
        {"role": "system", "content": "Be {{tone}}", "tool_calls": None},
        {"role": "user", "content": "{{q}}"},
    ]
    server.prompts = {
        "greeting": [
            version(1, "Hello {{ name }}", commit_message="first", aliases=["production"], user_id="aoi"),
            version(
                2,
                "Hi {{ name }}",
                tags={"commit_message": "second"},
                aliases=["Champion", "no label!"],
                model_config={"temperature": 0.5},
                response_format={"type": "object"},
            ),
        ],
        "chat": [version(1, chat)],
        "jinja": [version(3, "{% if a %}x{% endif %}")],
    }
    server.tags = {"greeting": {"team": "x", "mlflow.prompt.is_prompt": "true"}}
    result = import_mlflow("http://me:secret@tracking:5000", user)
    assert (result.created, result.failed) == (3, [])
    assert result.notes == ["greeting: the alias 'no label!' cannot be a label, and is left out."]
    prompt = Prompt.objects.get(name="greeting")
    assert [
        (one.version, one.content, one.message, one.config) for one in prompt.versions.order_by("version")
    ] == [
        (1, "Hello {{ name }}", "first", {}),
        (2, "Hi {{ name }}", "second", {"temperature": 0.5, "response_format": {"type": "object"}}),
    ]
    assert {one.name: one.version.version for one in prompt.labels.all()} == {"production": 1, "champion": 2}
    assert (prompt.source, prompt.metadata) == ("mlflow tracking", {"mlflow_tags": {"team": "x"}})
    assert prompt.versions.last().created_at.isoformat() == "2026-01-01T00:00:00.001000+00:00"
    found = Prompt.objects.get(name="chat")
    assert messages.parse(found.content) == [{"role": "system", "content": "Be {{tone}}"}, chat[1]]
    assert Prompt.objects.get(name="jinja").template_format == "jinja2"
    again = import_mlflow("http://tracking:5000", user, strict=True)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    server.prompts["greeting"].append(version(3, "Hey", aliases=["production"]))
    assert import_mlflow("http://tracking:5000", user).updated == 1
    # The label stays where it is here: it is moved by those who may.
    assert prompt.labels.get(name="production").version.version == 1


def test_a_prompt_that_cannot_be_taken_is_told(server: Server, user: User) -> None:
    server.prompts = {
        "a": [version(1, "x"), version(2, [{"role": "user", "content": "y"}])],
        "b": [],
        "c": [version(1, [{"role": "user", "content": [{"type": "image"}]}])],
        "d": [version(1, "fine")],
    }
    result = import_mlflow("http://tracking", user)
    assert (result.created, [(one.line, one.field) for one in result.failed]) == (
        1,
        [(1, "type"), (2, "versions"), (3, "template[0].content")],
    )


def test_a_server_without_an_answer_is_an_error_of_one_line(server: Server, monkeypatch: Any) -> None:
    def fail(**options: Any) -> Page:
        raise MlflowException("API request to http://x failed with exception HTTPConnectionPool(…)\nmore")

    User.objects.create_superuser("aoi", "aoi@example.com", "x")
    monkeypatch.setattr(server, "search_prompts", fail)
    with pytest.raises(CommandError, match=r"got: API request to http://x failed\."):
        call("import_prompts", "--mlflow", "http://x")


def test_without_mlflow_the_next_step_is_told(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportFileError, match="pip install mlflow"):
        import_mlflow("http://x", user)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.csv", "--mlflow", "http://x"],
        ["x", "--git", "--format", "csv"],
        ["--mlflow", "http://x", "--git"],
    ],
)
def test_one_source_at_a_time(user: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"[Ee]xpected"):
        call("import_prompts", *arguments)
