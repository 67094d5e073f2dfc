"""The client of Turso's Platform API, on a server that checks every request by the published shapes."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ops.environments.base import (
    EnvironmentProblem,
    NameTaken,
    NotConfigured,
    ProviderFailed,
    UnknownEnvironment,
    WrongName,
)
from ops.environments.turso_api import Api
from tests.servers import HOST, free_port

from .turso_server import API_TOKEN, LOCATIONS, ORGANIZATION, Reply, Turso, cut, hang, raw, refusal, turso

HOSTILE = ["..%2f", "a/b", "..", "Prod", "a" * 64, "", "a b", "prod\n", "prod?x", "ｐｒｏｄ"]
CHANGES: list[Callable[[Api], Any]] = [
    lambda api: api.create("new", group="default"),
    lambda api: api.delete("prod"),
    lambda api: api.configure("prod", block_writes=True),
    lambda api: api.mint_token("prod", read_only=True, lifetime=timedelta(hours=1)),
]


@pytest.fixture
def server() -> Iterator[Turso]:
    with turso() as running:
        running.add("prod")
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the client would have waited."""
    return []


@pytest.fixture
def api(server: Turso, pauses: list[float]) -> Api:
    return Api(url=server.url, organization=ORGANIZATION, token=API_TOKEN, pause=pauses.append)


def texts(error: BaseException | None) -> str:
    """All that a traceback could show of an error: texts and reprs along both chains."""
    if error is None:
        return ""
    return f"{error} {error!r} {texts(error.__cause__)} {texts(error.__context__)}"


def test_a_database_from_its_making_to_its_end(api: Api, server: Turso) -> None:
    api.create("copy", group="default", source="prod")
    prod, copy = api.databases("default")
    assert (prod.name, prod.hostname) == ("prod", "prod-acme.aws-eu-west-1.turso.io")
    assert copy.parent is not None
    assert copy.parent.name == "prod"
    assert str(copy.parent.branched_at) == "2025-04-15 13:14:34.468213+00:00"
    api.configure("copy", block_writes=True, delete_protection=True)
    assert server.databases["copy"]["block_writes"]
    with pytest.raises(ProviderFailed, match="status 403: database is protected from deletion"):
        api.delete("copy")
    api.configure("copy", delete_protection=False)
    assert server.databases["copy"]["block_writes"]  # left as it was
    api.delete("copy")
    assert list(server.databases) == ["prod"]


def test_only_the_databases_of_the_group_are_listed(api: Api, server: Turso) -> None:
    server.add("theirs", "another")
    assert [database.name for database in api.databases("default")] == ["prod"]
    assert [database.name for database in api.databases("another")] == ["theirs"]
    assert api.databases("none") == []


def test_databases_are_listed_over_several_pages(api: Api, server: Turso) -> None:
    for number in range(4):
        server.add(f"db-{number}")
    server.page_size = 2
    assert len(api.databases("default")) == 5
    assert len(server.requests) == 3


def test_a_list_without_an_end_is_given_up(api: Api, server: Turso) -> None:
    server.script = [raw(b'{"databases": [], "pagination": {"next": "1"}}')] * 200
    with pytest.raises(ProviderFailed, match="a list without an end"):
        api.databases("default")
    assert len(server.requests) == 100


def test_tokens_say_what_they_are_for(api: Api, server: Turso) -> None:
    token = api.mint_token("prod", read_only=True, lifetime=timedelta(days=1, hours=2, seconds=5))
    assert token == "canary-jwt-of-prod"
    assert repr(token) == "'********'"
    assert server.requests == [
        "POST /v1/organizations/acme/databases/prod/auth/tokens?expiration=1d2h5s&authorization=read-only"
    ]
    api.mint_token("prod", read_only=False, lifetime=timedelta(minutes=90))
    assert server.requests[1].endswith("?expiration=1h30m&authorization=full-access")


def test_groups_and_locations(api: Api) -> None:
    (group,) = api.groups()
    assert (group.name, group.primary) == ("default", "aws-eu-west-1")
    assert api.locations() == LOCATIONS


# Names


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_make_no_request(api: Api, server: Turso, name: str) -> None:
    for change in (
        lambda: api.create(name, group="default"),
        lambda: api.delete(name),
        lambda: api.configure(name, block_writes=True),
        lambda: api.mint_token(name, read_only=True, lifetime=timedelta(hours=1)),
    ):
        with pytest.raises(WrongName):
            change()
    assert server.requests == []


def test_a_taken_name(api: Api, server: Turso) -> None:
    with pytest.raises(NameTaken, match=r"status 409: database with name prod already exists\. Choose an"):
        api.create("prod", group="default")
    assert len(server.databases) == 1


def test_an_unknown_database(api: Api) -> None:
    for change in CHANGES[1:]:
        with pytest.raises(UnknownEnvironment, match="could not find database with name nowhere"):
            change(Nowhere(api))  # type: ignore[arg-type]
    with pytest.raises(UnknownEnvironment, match="could not find database with name nowhere"):
        api.create("copy", group="default", source="nowhere")


class Nowhere:
    """The API, asked for another name."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda _, **more: getattr(self.api, method)("nowhere", **more)


def test_another_organization(server: Turso) -> None:
    api = Api(url=server.url, organization="nobody", token=API_TOKEN)
    with pytest.raises(ProviderFailed, match=r"organization not found\. Check TURSO_ORGANIZATION"):
        api.databases("default")


# Failures


def test_a_wrong_token_is_refused_and_not_shown(server: Turso, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api = Api(url=server.url, organization=ORGANIZATION, token="canary-wrong-token")
    with pytest.raises(ProviderFailed, match=r"status 401: .*Set TURSO_API_TOKEN to a valid") as caught:
        api.databases("default")
    assert "********" in str(caught.value)  # the server quotes the header
    assert "canary" not in texts(caught.value) + caplog.text + repr(vars(api)) + repr(vars(api._client))
    assert len(server.requests) == 1


def test_who_asks_too_often_waits_as_long_as_the_server_says(
    api: Api, server: Turso, pauses: list[float]
) -> None:
    server.script = [refusal(429, "slow down", Retry_After="7")]
    assert len(api.databases("default")) == 1
    assert pauses == [7.0]


@pytest.mark.parametrize("after", ["86400", "21"])
def test_a_long_wait_is_left_to_the_user(api: Api, server: Turso, pauses: list[float], after: str) -> None:
    server.script = [refusal(429, "slow down", Retry_After=after)]
    with pytest.raises(ProviderFailed, match=f"status 429: slow down. Try again in {after} s"):
        api.databases("default")
    assert pauses == []


@pytest.mark.parametrize("reply", [refusal(500), refusal(503, None), refusal(429, Retry_After="soon"), cut])
def test_reading_is_tried_again(api: Api, server: Turso, pauses: list[float], reply: Reply) -> None:
    server.script = [reply] * 3
    assert len(api.databases("default")) == 1
    first, second, third = pauses
    assert 0.25 <= first <= 0.5 <= second <= 1 <= third <= 2


def test_reading_is_given_up_after_four_times(api: Api, server: Turso, pauses: list[float]) -> None:
    server.script = [refusal(502, "bad gateway")] * 10
    with pytest.raises(ProviderFailed, match=r"status 502: bad gateway\. Try again later"):
        api.databases("default")
    assert (len(server.requests), len(pauses)) == (4, 3)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("reply", [refusal(500), refusal(503), cut])
def test_a_change_is_not_tried_again(
    api: Api, server: Turso, pauses: list[float], change: Callable[[Api], Any], reply: Reply
) -> None:
    server.script = [reply]
    with pytest.raises(ProviderFailed, match="It may have been done all the same: look with"):
        change(api)
    assert (len(server.requests), pauses) == (1, [])


def test_a_change_that_was_certainly_not_done_says_no_more(api: Api, server: Turso) -> None:
    server.script = [refusal(429, "slow down", Retry_After="3")]
    with pytest.raises(ProviderFailed, match=r"slow down\. Try again in 3 s\.$"):
        api.create("new", group="default")
    assert len(server.requests) == 1


def test_a_server_that_never_answers(
    api: Api, server: Turso, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.environments.turso_http._READ_SECONDS", 0.1)
    server.script = [hang] * 4
    with pytest.raises(ProviderFailed, match=r"gave no answer \(not in time\)\. Can this machine reach"):
        api.databases("default")
    assert len(pauses) == 3


def test_nobody_listens() -> None:
    api = Api(url=f"http://{HOST}:{free_port()}", organization=ORGANIZATION, token=API_TOKEN)
    with pytest.raises(ProviderFailed, match=r"gave no answer \(.*is TURSO_API_URL its address\? Nothing"):
        api.create("new", group="default")


@pytest.mark.parametrize(
    "reply",
    [
        raw(b"<html>"),
        raw(b"[]"),
        raw(b'{"databases": "canary"}'),
        raw(b'{"databases": [{"Name": "canary"}]}'),
        raw(b'{"databases": [{"Name": "prod", "Hostname": "evil.test/canary?"}]}'),
        raw(b"{}", 201),
        raw(b"", 204),
        lambda handler: handler.send(302, {}, Location="http://127.0.0.1:1/canary"),
    ],
)
def test_another_service_is_recognised(api: Api, server: Turso, reply: Reply) -> None:
    server.script = [reply]
    with pytest.raises(ProviderFailed, match="is not Turso's Platform API as it is published") as caught:
        api.databases("default")
    assert "canary" not in texts(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [b"{}", b'{"jwt": ""}', b'{"jwt": "canary\\r\\nX: y"}', b'{"jwt": 5}'])
def test_a_token_that_is_none(api: Api, server: Turso, answer: bytes) -> None:
    server.script = [raw(answer)]
    with pytest.raises(ProviderFailed, match="it gave no token") as caught:
        api.mint_token("prod", read_only=True, lifetime=timedelta(hours=1))
    assert "canary" not in texts(caught.value)


def test_a_change_that_was_not_made(api: Api, server: Turso) -> None:
    server.script = [raw(b'{"block_writes": false}')]
    with pytest.raises(ProviderFailed, match="a configuration other than"):
        api.configure("prod", block_writes=True)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("a\x1b[31m\n" + "b" * 500, "a[31m" + "b" * 193 + "."),
        ({"deep": 1}, "it gave no reason."),
        (f"bad token {API_TOKEN}", r"bad token \*{8}\."),
    ],
)
def test_what_the_api_says_is_shown_safely(api: Api, server: Turso, error: Any, shown: str) -> None:
    server.script = [refusal(400, error)]
    with pytest.raises(
        ProviderFailed, match="status 400: " + shown.replace("[31m", r"\[31m") + "$"
    ) as caught:
        api.databases("default")
    assert API_TOKEN not in texts(caught.value)


def test_no_token_in_logs(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpcore2")  # whose level the settings raise
    api.databases("default")
    api.mint_token("prod", read_only=False, lifetime=timedelta(hours=1))
    assert "send_request_headers" in caplog.text
    assert "canary" not in caplog.text


# Settings


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"token": ""}, "TURSO_API_TOKEN"),
        ({"token": "canary with space"}, "TURSO_API_TOKEN"),
        ({"token": "canary\r\nX: y"}, "TURSO_API_TOKEN"),
        ({"organization": ""}, "TURSO_ORGANIZATION"),
        ({"organization": "../x"}, "TURSO_ORGANIZATION"),
        ({"url": ""}, "TURSO_API_URL"),
        ({"url": "http://api.turso.tech"}, "TURSO_API_URL"),
        ({"url": "http://127.0.0.1.evil.test"}, "TURSO_API_URL"),
        ({"url": "https://user:canary@api.turso.tech"}, "TURSO_API_URL"),
        ({"url": "https://api.turso.tech/v1?canary"}, "TURSO_API_URL"),
        ({"url": "https://api.turso.tech:canary"}, "TURSO_API_URL"),
        ({"url": "ftp://api.turso.tech"}, "TURSO_API_URL"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, str], named: str) -> None:
    good = {"url": "https://api.turso.tech", "organization": ORGANIZATION, "token": API_TOKEN}
    assert Api(**good).url == good["url"]
    with pytest.raises(NotConfigured, match=f"^{named}: expected") as caught:
        Api(**{**good, **changes})
    assert "canary" not in texts(caught.value)


# The stand-in itself


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda api: api._client.send("GET", "organizations/acme/database"), "no such operation"),
        (lambda api: api._client.send("POST", "locations"), "no such operation"),
        (lambda api: api._client.send("GET", "locations", query={"x": "1"}), "query field x=1"),
        (
            lambda api: api._client.send("POST", "organizations/acme/databases", body={"name": "x"}),
            "without group",
        ),
        (
            lambda api: api._client.send(
                "PATCH", "organizations/acme/databases/prod/configuration", body={"block_writes": 1}
            ),
            "block_writes=1",
        ),
    ],
)
def test_requests_that_are_not_published_fail_the_test(changed: Callable[[Api], Any], told: str) -> None:
    def misuse() -> None:
        with turso() as server:
            api = Api(url=server.url, organization=ORGANIZATION, token=API_TOKEN)
            with pytest.raises(EnvironmentProblem, match="status 400"):
                changed(api)

    with pytest.raises(AssertionError, match=told):
        misuse()
