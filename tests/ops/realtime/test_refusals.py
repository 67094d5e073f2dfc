"""Who may not connect, and what he is told."""

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from .conftest import Pair, listening, save, streaming

pytestmark = pytest.mark.redis
WRONG = "sk-afn-" + "x" * 43


def refusal(url: str, key: str = "", query: str = "", **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused, listening(url, key, query, **options):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["detail"]


def ask(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request(method, path, body, sent)
        with connection.getresponse() as answer:
            return answer.status, answer.read(), answer.headers


def ticket(pair: Pair) -> str:
    answer = pair.site.call("POST", "/realtime/tickets")
    assert answer.status == 201
    assert answer.json["expires_in"] == 30
    return str(answer.json["ticket"])


@pytest.fixture(scope="module")
def session(pair: Pair) -> str:
    """The cookie of somebody who has logged in at the console."""
    _, _, headers = ask(pair.url, "GET", "/admin/login/")
    csrf = headers["Set-Cookie"].partition("csrftoken=")[2].partition(";")[0]
    form = f"username=ada&password=canary-password&csrfmiddlewaretoken={csrf}".encode()
    status, _, headers = ask(
        pair.url,
        "POST",
        "/admin/login/",
        form,
        Cookie=f"csrftoken={csrf}",
        Content_Type="application/x-www-form-urlencoded",
    )
    assert status == 302
    cookies = ";".join(headers.get_all("Set-Cookie"))
    return f"sessionid={cookies.partition('sessionid=')[2].partition(';')[0]}"


def test_nobody_connects_without_credentials(pair: Pair) -> None:
    assert refusal(pair.url)[0] == 401
    assert refusal(pair.url, WRONG)[0] == 401
    status, body, headers = ask(pair.url, "GET", "/events")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="afn"')
    assert b"ticket" in body


@pytest.mark.parametrize(
    "query", ["key=abc", "api_key=abc", "token=abc", "access_token=abc", f"kinds={WRONG}", f"ticket={WRONG}"]
)
def test_a_key_in_the_address_is_refused_and_not_repeated(pair: Pair, query: str) -> None:
    status, detail = refusal(pair.url, pair.key, query)
    assert (status, "logs" in detail) == (400, True)
    status, body, _ = ask(pair.url, "GET", f"/events?{query}", Authorization=f"Bearer {pair.key}")
    assert (status, b"abc" in body or b"sk-afn" in body) == (400, False)


@pytest.mark.parametrize(
    "query",
    [
        "kinds=nothing.*",
        "kinds=prompt",
        "after=yesterday",
        "filter=a",
        "kinds=" + ",".join(f"job.a{'a' * one}" for one in range(33)),
    ],
)
def test_other_questions_say_what_was_expected(pair: Pair, query: str) -> None:
    status, detail = refusal(pair.url, pair.key, query)
    assert status == 422
    assert "expected" in detail


def test_a_ticket_counts_once(pair: Pair) -> None:
    given = ticket(pair)
    with listening(
        pair.url, query=f"ticket={given}", headers={"Origin": "https://elsewhere.example"}
    ) as heard:
        save(pair.site, "by-ticket")
        assert heard.names(1) == ["by-ticket"]
    assert refusal(pair.url, query=f"ticket={given}")[0] == 401
    assert refusal(pair.url, query=f"ticket={given[:-2]}xx")[0] == 401
    assert ask(pair.url, "GET", f"/events?ticket={given}")[0] == 401


def test_a_ticket_may_be_a_subprotocol(pair: Pair) -> None:
    given = ticket(pair)
    with listening(pair.url, subprotocols=["afn", f"ticket.{given}"]) as listener:
        assert listener.socket.subprotocol == "afn"
    with streaming(pair.url, f"/events?ticket={ticket(pair)}") as stream:
        assert stream.next()["event"] == "hello"


def test_a_session_counts_for_pages_of_this_site_alone(pair: Pair, session: str) -> None:
    cookie = {"Cookie": session}
    with listening(pair.url, headers=cookie | {"Origin": pair.url}) as listener:
        save(pair.site, "by-session")
        assert listener.names(1) == ["by-session"]
    for origin in ("https://elsewhere.example", "null", pair.url.replace("http", "https")):
        assert refusal(pair.url, headers=cookie | {"Origin": origin})[0] == 403
    assert refusal(pair.url, headers=cookie)[0] == 403  # every browser names it
    with streaming(pair.url, Cookie=session, Sec_Fetch_Site="same-origin") as stream:
        assert stream.next()["event"] == "hello"
    assert ask(pair.url, "GET", "/events", Cookie=session, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(pair.url, "GET", "/events", Cookie=session, Origin="https://elsewhere.example")[0] == 403
    assert ask(pair.url, "GET", "/events", Cookie="sessionid=" + "a" * 32)[0] == 401


def test_hosts_and_methods_are_looked_at_first(pair: Pair) -> None:
    sent = {"Authorization": f"Bearer {pair.key}"}
    assert ask(pair.url, "GET", "/events", Host="stranger.example", **sent)[0] == 421
    assert ask(pair.url, "POST", "/events", b"{}", **sent)[0] == 405
    assert ask(pair.url, "GET", "/events?kinds=" + "a" * 2_000, **sent)[0] == 414


def test_a_process_that_serves_wsgi_says_where_streams_are(pair: Pair) -> None:
    for path in ("/ws", "/events"):
        status, body, _ = ask(pair.site.url, "GET", path, Authorization=f"Bearer {pair.key}")
        assert (status, b"ASGI" in body) == (426, True)
