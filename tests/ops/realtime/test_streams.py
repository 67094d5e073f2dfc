"""Events of one process, heard by clients of another."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.processes import manage, wait_for

from .conftest import Listener, Pair, listening, save, streaming

pytestmark = pytest.mark.redis


def end_of(listener: Listener) -> int | None:
    """The code with which the server closes the connection."""
    try:
        while True:
            listener.receive()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def test_what_one_process_does_clients_of_another_hear(pair: Pair) -> None:
    with pair.listening() as listener, streaming(pair.url, Authorization=f"Bearer {pair.key}") as stream:
        assert stream.next()["type"] == "hello"
        save(pair.site, "heard")
        event = listener.next()
        assert (event["type"], event["kind"]) == ("event", "prompt.created")
        assert event["data"]["prompt"]["name"] == "heard"
        assert event["data"]["actor"]["name"] == "ada"
        assert stream.next() == {**event, "event": "message"}
        assert "canary" not in json.dumps(event)
        pair.site.call("PATCH", "/prompts/by-name/heard", {"title": "canary-title"})
        prompt_id = event["data"]["prompt"]["id"]
        assert pair.site.call("PATCH", f"/prompts/{prompt_id}", {"title": "canary-title"}).status == 200
        changed = listener.next()
        assert (changed["kind"], changed["data"]["changed"]) == ("prompt.changed", ["title"])
        assert pair.site.call("PUT", f"/prompts/{prompt_id}/labels/staging", {"version": 1}).status == 200
        moved = listener.next()
        assert (moved["kind"], moved["data"]["label"]) == ("label.moved", "staging")
        assert pair.site.call("DELETE", f"/prompts/{prompt_id}").status == 204
        assert [listener.next()["kind"] for _ in range(2)] == ["label.removed", "prompt.deleted"]


def test_commands_are_heard_too(pair: Pair) -> None:
    """They end right after what they did."""
    with pair.listening("kinds=environment.*,backup.*,job.*") as listener:
        place = pair.place.variables | {"AFN_BACKUPS_DIR": str(pair.place.folder / "backups")}
        done = manage("backup_database", "--json", **place)
        assert done.returncode == 0, done.stderr
        event = listener.next()
        assert (event["kind"], event["data"]["environment"]) == ("backup.made", "prod")
        assert event["data"]["backup"]["bytes"] > 1_000


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(pair: Pair) -> None:
    names = [f"resumed-{number}" for number in range(120)]
    heard: list[str] = []
    with ThreadPoolExecutor(1) as writer, pair.listening("kinds=prompt.created") as first:
        after = first.hello["id"]
        writing = writer.submit(lambda: [save(pair.site, name) for name in names])
        while len(heard) < len(names):
            # In the midst of the writing, each time after a few.
            with pair.listening(f"kinds=prompt.created&after={after}") as listener:
                for _ in range(min(17, len(names) - len(heard))):
                    event = listener.next()
                    heard.append(event["data"]["prompt"]["name"])
                    after = event["id"]
        writing.result()
        assert first.names(len(names)) == names
    assert heard == names


def test_a_stream_goes_on_after_the_last_id(pair: Pair) -> None:
    sent = {"Authorization": f"Bearer {pair.key}"}
    with streaming(pair.url, **sent) as stream:
        fields = stream.block()
        while fields.get("") != "ping":
            fields = stream.block()
        after = fields["id"]  # known though nothing has happened that one may hear of
    save(pair.site, "between")
    with streaming(pair.url, Last_Event_ID=after, **sent) as stream:
        assert stream.next()["event"] == "hello"
        assert stream.next()["data"]["prompt"]["name"] == "between"


@pytest.mark.parametrize("after", ["1700000000000-0", "99999999999999-0"])
def test_who_comes_back_too_late_is_told_to_read_anew(pair: Pair, after: str) -> None:
    with pair.listening(f"after={after}") as listener:
        assert listener.next()["type"] == "reset"
        save(pair.site, f"later-{after}")
        assert listener.names(1) == [f"later-{after}"]


def test_clients_choose_kinds_and_change_their_minds(pair: Pair) -> None:
    with pair.listening("kinds=label.*") as listener:
        save(pair.site, "unheard")
        assert listener.ask(type="ping") == {"type": "pong"}
        wrong = listener.ask(type="subscribe", kinds=["nonsense.*"])
        assert (wrong["type"], "nonsense" in wrong["detail"]) == ("error", True)
        assert listener.ask(type="subscribe", kinds=["prompt.created", "job.*"])["type"] == "subscribed"
        save(pair.site, "wanted")
        assert listener.names(1) == ["wanted"]


@pytest.mark.parametrize(
    ("sent", "code"), [("x" * 5_000, 1009), (b"bytes", 1009), ("[", 4400), ('{"type": "kinds"}', 4400)]
)
def test_messages_that_make_no_sense_end_the_connection(pair: Pair, sent: Any, code: int) -> None:
    with pair.listening() as listener:
        listener.socket.send(sent)
        assert end_of(listener) == code


def test_jobs_are_heard_by_those_who_may_see_them(pair: Pair) -> None:
    readers = pair.place.make_key("read")
    with pair.listening("kinds=job.*,prompt.*") as admin, listening(pair.url, readers) as reader:
        place = pair.place.variables
        done = manage("jobs", "run", "clean_up", "--json", **place)
        assert done.returncode == 0, done.stderr
        while (event := admin.next())["kind"] != "job.succeeded":
            assert event["kind"] == "job.running"
        assert event["data"]["job"]["kind"] == "clean_up"
        save(pair.site, "after-the-job")
        assert reader.names(1) == ["after-the-job"]


def test_a_key_that_may_not_read_hears_nothing(pair: Pair) -> None:
    with pytest.raises(InvalidStatus) as refused, listening(pair.url, pair.place.make_key("write")):
        pass
    assert refused.value.response.status_code == 403


def test_connections_end_with_their_key(pair: Pair) -> None:
    key = pair.place.make_key("read")
    with listening(pair.url, key) as listener, streaming(pair.url, Authorization=f"Bearer {key}") as stream:
        assert listener.receive()["type"] == "ping"
        pair.place.sql("UPDATE api_keys SET revoked_at = datetime('now') WHERE scopes = ?", '["read"]')
        assert end_of(listener) == 4401
        assert [stream.next()["event"] for _ in range(2)] == ["hello", "over"]
        assert stream.answer.read() == b""


def test_a_command_prints_what_happens(pair: Pair) -> None:
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(
            manage,
            "watch_events",
            "--kinds",
            "prompt.created",
            "--json",
            "--count",
            "1",
            **pair.place.variables,
        )
        numbers = iter(range(1_000))
        wait_for(lambda: save(pair.site, f"watched-{next(numbers)}") or watching.done())
        done = watching.result()
    assert done.returncode == 0, done.stderr
    event = json.loads(done.stdout)
    assert (event["kind"], event["data"]["prompt"]["name"][:8]) == ("prompt.created", "watched-")
