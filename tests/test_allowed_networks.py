"""From where the site, the console and the APIs may be reached."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from afn_project import allowed_networks
from afn_project.allowed_networks import AllowedNetworksMiddleware, is_allowed
from afn_project.env import Env, read_env
from afn_project.mcp_http import WithMcp
from tests.mcp_server.test_failures import answer, pages, scope

INSIDE, OUTSIDE = "10.1.2.3", "198.51.100.9"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The log was told of nobody yet; seconds of its clock."""
    now = [1000.0]
    monkeypatch.setattr(allowed_networks, "_told", allowed_networks._Told(lambda: now[0]))
    return now


def status(path: str, address: str, **headers: str) -> int:
    return int(Client().get(path, REMOTE_ADDR=address, headers=headers).status_code)


def test_without_networks_there_is_no_middleware(settings: Settings) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(MiddlewareNotUsed):
        AllowedNetworksMiddleware(view)
    settings.AFN_CONSOLE_NETWORKS = ["10.0.0.0/8"]
    AllowedNetworksMiddleware(view)


@pytest.mark.django_db
def test_the_site_is_closed_to_others_but_for_liveness(settings: Settings) -> None:
    settings.AFN_ALLOWED_NETWORKS = ["10.0.0.0/8", "2001:db8::/32"]
    for path in ("/admin/login/", "/health/database", "/api/v1/openapi.json", "/", "/none", "/static/x.css"):
        assert status(path, OUTSIDE) == 403, path
        assert status(path, INSIDE) != 403, path
        assert status(path, "2001:db8::1") != 403, path
        assert status(path, "2001:db9::1") == 403, path
    assert status("/health/live", OUTSIDE) == 200


@pytest.mark.django_db
def test_console_and_apis_have_networks_of_their_own(settings: Settings) -> None:
    settings.AFN_CONSOLE_NETWORKS, settings.AFN_API_NETWORKS = ["10.1.2.3"], ["198.51.100.0/24"]
    assert status("/admin/login/", INSIDE) == 200
    assert status("/admin/login/", OUTSIDE) == 403
    assert status("/admin", OUTSIDE) == 403
    assert status("/api/v1/openapi.json", OUTSIDE) == 200
    assert status("/api/v1/openapi.json", INSIDE) == status("/api/public/health", INSIDE) == 403
    assert status("/", "192.0.2.1") == 302


@pytest.mark.django_db
def test_what_a_part_allows_the_site_has_to_allow(settings: Settings) -> None:
    settings.AFN_ALLOWED_NETWORKS, settings.AFN_API_NETWORKS = ["10.0.0.0/8"], ["10.1.0.0/16", OUTSIDE]
    assert status("/api/v1/openapi.json", INSIDE) == 200
    assert status("/api/v1/openapi.json", "10.2.0.1") == 403
    assert status("/api/v1/openapi.json", OUTSIDE) == 403


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("10.1.2.3", [], True),
        ("", [], True),
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:11.1.2.3", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["::ffff:10.0.0.0/104"], True),
        ("11.1.2.3", ["::ffff:10.0.0.0/104"], False),
        ("10.1.2.3", ["::/0"], False),
        ("2001:db8::1", ["0.0.0.0/0"], False),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("[2001:db8::1]:4711", ["2001:db8::/32"], True),
        ("10.1.2.3:4711", ["10.1.2.3"], True),
        ("", ["0.0.0.0/0", "::/0"], False),
        ("unix:", ["0.0.0.0/0"], False),
        ("10.1.2.3, 10.1.2.3", ["10.0.0.0/8"], False),
    ],
)
def test_addresses_and_networks(
    settings: Settings, address: str, networks: list[str], expected: bool
) -> None:
    settings.AFN_ALLOWED_NETWORKS = networks
    assert is_allowed(address, "site") is expected
    settings.AFN_ALLOWED_NETWORKS, settings.AFN_CONSOLE_NETWORKS = [], networks
    assert is_allowed(address, "console") is expected
    assert is_allowed(address, "api")


@pytest.mark.django_db
def test_behind_proxies_it_is_what_the_first_of_them_saw(settings: Settings) -> None:
    settings.AFN_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    forwarded = {"X-Forwarded-For": f"{INSIDE}, {OUTSIDE}"}
    assert status("/none", OUTSIDE, **{"X-Forwarded-For": INSIDE}) == 403  # anybody can write that
    settings.AFN_PROXIES = 1
    assert status("/none", INSIDE, **forwarded) == 403
    assert status("/none", OUTSIDE, **{"X-Forwarded-For": f"{OUTSIDE}, {INSIDE}"}) == 404
    settings.AFN_PROXIES = 2
    assert status("/none", OUTSIDE, **forwarded) == 404


def test_the_refusal_has_the_form_of_the_api_or_is_a_plain_page(settings: Settings) -> None:
    settings.AFN_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    refused = Client().get("/api/v1/prompts", REMOTE_ADDR=OUTSIDE)
    assert refused.json() == {"detail": "This address is in none of the networks that may come here."}
    refused = Client().get("/api/public/v2/prompts", REMOTE_ADDR=OUTSIDE)
    assert refused["Content-Type"] == "application/json"
    page = Client().get("/admin/", REMOTE_ADDR=OUTSIDE)
    assert page["Content-Type"] == "text/plain; charset=utf-8"
    assert b"none of the networks" in page.content
    assert page["X-Request-ID"]


def test_an_address_is_logged_once_a_minute(
    settings: Settings, caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    def lines() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.name == allowed_networks.__name__]

    settings.AFN_API_NETWORKS = ["10.0.0.0/8"]
    for _ in range(3):
        status("/api/v1/prompts", OUTSIDE)
    assert lines() == [f"Refused: {OUTSIDE} is in none of the networks of the api"]
    status("/api/v1/prompts", "198.51.100.10")
    assert len(lines()) == 2
    clock[0] += 61.0
    status("/api/v1/prompts", f"::ffff:{OUTSIDE}")
    assert lines()[2:] == lines()[:1]


async def test_mcp_is_one_of_the_apis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(address: str) -> dict[str, Any]:
        return scope("GET") | {"client": (address, 1)}

    settings.AFN_API_NETWORKS = ["10.0.0.0/8"]
    found, body = await answer(WithMcp(pages), of(OUTSIDE))
    assert (found, body["error"]["message"]) == (403, allowed_networks.REFUSAL)
    assert (await answer(WithMcp(pages), of(INSIDE)))[0] == 405
    settings.AFN_API_NETWORKS, settings.AFN_ALLOWED_NETWORKS = [], ["10.0.0.0/8"]
    assert (await answer(WithMcp(pages), of(OUTSIDE)))[0] == 403


async def test_a_preflight_of_a_browser_is_refused_as_well(settings: Settings) -> None:
    settings.AFN_API_NETWORKS, settings.AFN_CORS_ORIGINS = ["10.0.0.0/8"], ["https://app.example.org"]
    asked = scope("OPTIONS", origin="https://app.example.org", **{"access-control-request-method": "POST"})
    assert (await answer(WithMcp(pages), asked | {"client": (OUTSIDE, 1)}))[0] == 403


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Env]:
    def make(**variables: str) -> Env:
        file = tmp_path / ".env"
        file.write_text("\n".join(f"{name}={value}" for name, value in variables.items()))
        return read_env(file)

    return make


@pytest.mark.parametrize("name", ["AFN_ALLOWED_NETWORKS", "AFN_CONSOLE_NETWORKS", "AFN_API_NETWORKS"])
def test_a_wrong_network_stops_the_start(
    read: Callable[..., Env], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    good = read(**{name: "10.0.0.0/8, 2001:db8::/32 203.0.113.7"})
    assert json.dumps(getattr(good, name.lower())) == '["10.0.0.0/8", "2001:db8::/32", "203.0.113.7"]'
    for wrong in ("10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0-10.0.0.9", "*"):
        with pytest.raises(ImproperlyConfigured, match=f"{name}: Expected networks such as 10.0.0.0/8"):
            read(**{name: wrong})
