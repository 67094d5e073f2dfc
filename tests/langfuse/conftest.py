"""A client that speaks to `/api/public` as Langfuse's do, with a key pair."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from prompts.models import ApiKey, User
from tests.api.conftest import basic

PUBLIC = "/api/public"


class Langfuse:
    """Paths are below /api/public; bodies are JSON, or bytes as they are."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self.headers = headers or {}
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(PUBLIC + path, query, headers=self.headers)

    def delete(self, path: str, **query: Any) -> HttpResponse:
        return self.client.delete(PUBLIC + path, query_params=query, headers=self.headers)

    def post(self, path: str, body: Any = b"", content_type: str = "application/json", **headers: str) -> Any:
        return self.client.post(PUBLIC + path, body, content_type, headers=self.headers | headers)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.client.patch(PUBLIC + path, body, "application/json", headers=self.headers)

    def create(self, name: str, prompt: Any = "Hello {{name}}", **members: Any) -> dict[str, Any]:
        body = {"name": name, "prompt": prompt, **members}
        if isinstance(prompt, list):
            body.setdefault("type", "chat")
        response = self.post("/v2/prompts", body)
        assert response.status_code == 201, response.content
        return response.json()


@pytest.fixture(autouse=True)
def _settings(fake_embedder: None, settings: Settings) -> None:
    settings.AFN_PUBLIC_READ = False


@pytest.fixture
def user(db: None) -> User:
    user = User.objects.create_user("aoi", "aoi@example.com", "correct horse")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="prompts"))
    return user


def client_of(user: User, *scopes: str) -> Langfuse:
    key, secret = ApiKey.issue(user, "tests", list(scopes or ("read", "write")))
    return Langfuse(basic(key.public_key, secret))


@pytest.fixture
def langfuse(user: User) -> Langfuse:
    return client_of(user)


def problem(response: HttpResponse, status: int) -> str:
    """The message of an error in Langfuse's form, and in no other."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"message", "error"}, body
    assert isinstance(body["message"], str)
    assert isinstance(body["error"], str)
    return body["message"]
