from django.test import Client
from pytest_django.fixtures import Settings

from tests.api.conftest import Api

ORIGIN = "https://app.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


def test_no_origin_is_allowed_by_default(client: Client) -> None:
    response = client.options("/api/v1/prompts", headers=PREFLIGHT)
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_listed_origin_may_send_a_key(client: Client, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    response = client.options("/api/v1/prompts", headers=PREFLIGHT)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert "authorization" in response["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_errors_too_can_be_read_by_a_listed_origin(api: Api, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    for path in ("/prompts/none", "/none"):
        response = api.client.get("/api/v1" + path, headers=api.headers | {"Origin": ORIGIN})
        assert response.status_code == 404
        assert response["Access-Control-Allow-Origin"] == ORIGIN


def test_other_origins_and_other_paths_stay_closed(client: Client, db: None, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    other = client.get("/api/v1/openapi.json", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    console = client.get("/admin/login/", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in console.headers
