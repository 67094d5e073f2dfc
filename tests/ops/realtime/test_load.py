"""Many clients, slow clients, and a Redis that goes away."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import psutil
import pytest
from redis import Redis

from ops.realtime import stream
from tests.processes import wait_for

from .conftest import Pair, listening, save

pytestmark = pytest.mark.redis
CLIENTS, EVENTS = 200, 300


def server_process(pair: Pair) -> psutil.Process:
    port = urlsplit(pair.url).port
    parents = [
        one
        for one in psutil.Process().children(recursive=True)
        if f"--port {port} " in " ".join(one.cmdline()) + " "
    ]
    return max(parents, key=lambda one: one.memory_info().rss)


def slow(pair: Pair, protocol: str) -> socket.socket:
    """Somebody who asks for events and reads none."""
    place = urlsplit(pair.url)
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    found.connect((place.hostname, place.port))
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        if protocol == "ws"
        else ""
    )
    path = "/ws" if protocol == "ws" else "/events"
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {pair.key}\r\n{upgrade}\r\n"
    )
    found.sendall(request.encode())
    assert b" 101 " in (start := found.recv(200)) or b" 200 " in start
    return found


def flood(pair: Pair, sender: str, number: int) -> None:
    """A hundred events as large as they may be, straight into Redis; `number` is that of the first."""
    body = json.dumps({"kind": "prompt.changed", "at": "", "data": {"prompt": {"name": "x" * 3_800}}})
    assert pair.place.redis is not None
    with Redis.from_url(pair.place.redis.url) as client:
        stream.add(client, sender, number, [("prompt.changed", body)] * 100)


def test_many_clients_hear_all_and_memory_stays_bounded(pair: Pair) -> None:
    process = server_process(pair)
    with ExitStack() as stack, ThreadPoolExecutor(20) as pool:
        listeners = list(
            pool.map(
                lambda _: stack.enter_context(pair.listening("kinds=prompt.*", compression=None)),
                range(CLIENTS),
            )
        )
        before = process.memory_info().rss
        for start in range(0, EVENTS, 100):
            flood(pair, "many", start)
        save(pair.site, "the-last")
        started = time.monotonic()
        heard = list(pool.map(lambda one: one.names(EVENTS + 1)[-1], listeners))
        assert heard == ["the-last"] * CLIENTS
        assert time.monotonic() - started < 20
        assert process.memory_info().rss - before < 60_000_000


@pytest.mark.parametrize("protocol", ["ws", "sse"])
def test_who_does_not_read_is_let_go_and_holds_up_nobody(pair: Pair, protocol: str) -> None:
    with closing(slow(pair, protocol)) as sleeper, pair.listening(compression=None) as listener:
        assert is_held(pair, sleeper)
        started = time.monotonic()
        for start in range(0, 1_900, 100):  # more than both machines hold for one connection
            flood(pair, protocol, start)
            listener.names(100)
        save(pair.site, f"beside-{protocol}")
        assert listener.names(1) == [f"beside-{protocol}"]
        assert time.monotonic() - started < 30
        if protocol == "ws":
            assert wait_for(lambda: not is_held(pair, sleeper), 10)
        else:  # Granian goes on to hold what it took before, and then ends the answer
            time.sleep(4)  # longer than somebody asleep is waited for
            assert reads_to_the_end(sleeper, 10)
        save(pair.site, f"after-{protocol}")
        assert listener.names(1) == [f"after-{protocol}"]


def reads_to_the_end(client: socket.socket, seconds: float) -> bool:
    """Whether the answer is over; one that goes on has signs of life twice a second."""
    client.settimeout(seconds)
    end = time.monotonic() + seconds
    last = b""
    while time.monotonic() < end and not last.endswith(b"\r\n0\r\n\r\n"):
        try:
            part = client.recv(1_000_000)
        except ConnectionResetError:
            return True
        if not part:
            return True
        last = last[-10:] + part
    return last.endswith(b"\r\n0\r\n\r\n")


def is_held(pair: Pair, client: socket.socket) -> bool:
    """Does the server hold a connection to it?"""
    port = client.getsockname()[1]
    held = server_process(pair).net_connections("tcp")
    return any(one.raddr and one.raddr.port == port and one.status == "ESTABLISHED" for one in held)


def test_clients_go_on_when_redis_is_back(pair: Pair) -> None:
    redis = pair.place.redis
    assert redis is not None
    with pair.listening("kinds=prompt.*") as listener:
        redis.kill()
        started = time.monotonic()
        save(pair.site, "while-redis-is-down")
        assert time.monotonic() - started < 2
        redis.start()
        assert listener.next(30)["type"] == "reset"  # this Redis kept nothing
        save(pair.site, "when-it-is-back")
        heard: list[str] = []
        while not heard or heard[-1] != "when-it-is-back":
            heard += listener.names(1)
        assert heard in (["when-it-is-back"], ["while-redis-is-down", "when-it-is-back"])
        after = listener.last_id
    with listening(pair.url, pair.key, f"after={after}") as listener:
        save(pair.site, "resumed-after-it")
        assert listener.names(1) == ["resumed-after-it"]


def test_a_connection_that_breaks_loses_nothing(pair: Pair) -> None:
    """Of the process to Redis, which has kept all."""
    assert pair.place.redis is not None
    with pair.listening("kinds=prompt.*") as listener, Redis.from_url(pair.place.redis.url) as client:
        for number in range(5):
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            save(pair.site, f"despite-{number}")
        assert listener.names(5) == [f"despite-{number}" for number in range(5)]
