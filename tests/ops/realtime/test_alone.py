"""Without Redis: one process, as `make run` starts it, in which all is seen."""

import re
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.processes import asgi_site, manage, wait_for
from tests.serving.conftest import Site, make_place

from .conftest import APPLICATION, listening, save, streaming


def test_one_process_hears_itself(tmp_path: Path) -> None:
    with ExitStack() as stack:
        place = make_place(tmp_path, stack)
        log = tmp_path / "asgi.log"
        url = stack.enter_context(
            asgi_site(log, application=APPLICATION, AFN_TRUST_LOOPBACK="1", **place.variables)
        )
        site = Site(url, place.key)
        with listening(url, place.key) as listener:
            after = listener.hello["id"]
            assert after
            save(site, "alone")
            assert listener.names(1) == ["alone"]
        save(site, "while-away")
        with listening(url, place.key, f"after={after}") as listener:
            assert listener.names(2) == ["alone", "while-away"]
        with streaming(url, f"/events?after={after}", Authorization=f"Bearer {place.key}") as stream:
            assert [stream.next()["type"] for _ in range(3)] == ["hello", "event", "event"]
            with listening(url, place.key), listening(url, place.key):
                assert connections(url) == {"websocket": 2, "sse": 1}
        assert wait_for(lambda: connections(url) == {"websocket": 0, "sse": 0})
        assert "Traceback" not in log.read_text()


def connections(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as answer:
        found = re.findall(
            r'^realtime_connections\{kind="(\w+)"\} (\S+)$', answer.read().decode(), re.MULTILINE
        )
    return {kind: float(count) for kind, count in found}


def test_a_command_has_nothing_to_watch(tmp_path: Path) -> None:
    done = manage("watch_events", AFN_DATABASE_FILE=str(tmp_path / "a.db"))
    assert done.returncode == 1
    assert "expected REDIS_URL" in done.stderr
