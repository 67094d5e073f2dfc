"""Asking a model over HTTP: tried again where that may help, and never past the gate."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from prompts.evaluating.completions import complete
from prompts.evaluating.errors import ModelFailed, NotConfigured

from .chat_server import ChatServer, chat_server

ASKED = [{"role": "user", "content": "Say yes"}]


@pytest.fixture
def server(settings: Settings) -> Iterator[ChatServer]:
    with chat_server() as running:
        settings.AFN_LLM_API_KEY = "canary-key"
        settings.AFN_LLM_BASE_URL = running.url
        settings.AFN_LLM_PRICES = {"m": [2.0, 4.0]}
        settings.AFN_OUTGOING_ALLOWED = [running.url.removeprefix("http://").removesuffix("/v1")]
        yield running


def test_it_answers_with_what_it_took(server: ChatServer) -> None:
    answer = complete(ASKED, model="m", parameters={"temperature": 0.5})
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("yes", 1_000, 500)
    assert answer.cost == pytest.approx(0.004)
    assert answer.latency_ms > 0
    assert server.requests[0]["temperature"] == 0.5
    assert server.keys == {"Bearer canary-key"}
    assert complete(ASKED, model="other").cost is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_tries_again_where_that_may_help(server: ChatServer, status: int) -> None:
    server.answers = [status, status, "yes"]
    pauses: list[float] = []
    assert complete(ASKED, model="m", pause=pauses.append).text == "yes"
    assert len(pauses) == 2
    assert pauses[1] > pauses[0] / 2


@pytest.mark.parametrize(("status", "requests"), [(500, 4), (400, 1), (401, 1)])
def test_it_gives_up_and_says_why(server: ChatServer, status: int, requests: int) -> None:
    server.answers = [status]
    with pytest.raises(ModelFailed, match=f"status {status}") as failure:
        complete(ASKED, model="m", pause=lambda seconds: None)
    assert len(server.requests) == requests
    assert "canary" not in str(failure.value)


def test_an_address_that_is_not_allowed_is_not_called(server: ChatServer, settings: Settings) -> None:
    settings.AFN_OUTGOING_ALLOWED = []
    with pytest.raises(ModelFailed, match="may not be called"):
        complete(ASKED, model="m", pause=lambda seconds: None)
    assert server.requests == []


def test_without_a_key_nothing_is_asked(settings: Settings) -> None:
    settings.AFN_LLM_API_KEY = settings.OPENAI_API_KEY = ""
    with pytest.raises(NotConfigured, match="AFN_LLM_API_KEY"):
        complete(ASKED, model="m")


def test_what_nobody_can_store_is_replaced(server: ChatServer) -> None:
    server.answers = ["a\0b\ud800c"]
    assert complete(ASKED, model="m").text == "a\N{REPLACEMENT CHARACTER}b?c"


def test_a_number_of_tokens_that_cannot_be_costs_nothing_known(server: ChatServer) -> None:
    server.tokens = -1_000_000
    answer = complete(ASKED, model="m")
    assert (answer.tokens_in, answer.cost) == (None, None)
