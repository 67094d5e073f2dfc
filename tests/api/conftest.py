"""A client that speaks JSON with an API key, on an embedder that is a function of its input."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from prompts.models import ApiKey, Prompt, User

V1 = "/api/v1"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(public_key: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{public_key}:{secret}".encode()).decode()}


class Api:
    """Paths are below /api/v1; bodies are JSON, or bytes as they are."""

    def __init__(self, headers: dict[str, str] | None = None, client: Client | None = None) -> None:
        self.headers = headers or {}
        self.client = client or Client()

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(V1 + path, query, headers=self.headers)

    def delete(self, path: str) -> HttpResponse:
        return self.client.delete(V1 + path, headers=self.headers)

    def post(self, path: str, body: Any = b"", **headers: str) -> HttpResponse:
        return self._send("post", path, body, headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self._send("put", path, body, {})

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self._send("patch", path, body, {})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> HttpResponse:
        return getattr(self.client, method)(
            V1 + path, body, content_type="application/json", headers=self.headers | headers
        )


@pytest.fixture(autouse=True)
def _settings(fake_embedder: None, settings: Settings) -> None:
    settings.AFN_PUBLIC_READ = False
    settings.CORS_ALLOWED_ORIGINS = []


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def key(user: User) -> tuple[ApiKey, str]:
    """A key that may read and write, and its secret; its user may as well."""
    may_write = Permission.objects.filter(content_type__app_label__in=("prompts", "vectors"))
    user.user_permissions.set(may_write)
    return ApiKey.issue(user, "tests", ["read", "write"])


@pytest.fixture
def api(key: tuple[ApiKey, str]) -> Api:
    return Api(bearer(key[1]))


@pytest.fixture
def anonymous(db: None) -> Api:
    return Api()


@pytest.fixture
def make(user: User, django_capture_on_commit_callbacks: Any) -> Callable[..., Prompt]:
    """Save a prompt, and index it as after a commit."""

    def prompt(name: str, content: str = "Rewrite {{resume}}.", **fields: Any) -> Prompt:
        with django_capture_on_commit_callbacks(execute=True):
            made = Prompt(user=user, name=name, title=fields.pop("title", name), content=content, **fields)
            made.save()
        return made

    return prompt


def problems(response: HttpResponse) -> dict[str, str]:
    """The fields of a 422 or 409 and what is wrong with them."""
    return {one["field"]: one["msg"] for one in response.json()["detail"]}


def statements(api: Api, path: str, **query: Any) -> int:
    """How many statements a successful answer takes, but for those about the key."""
    with CaptureQueriesContext(connection) as queries:
        assert api.get(path, **query).status_code == 200
    return len([one for one in queries if "api_keys" not in one["sql"]])
