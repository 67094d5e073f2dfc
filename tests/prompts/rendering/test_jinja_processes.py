"""The processes that render: what they can do, how many there are, and how each of them ends."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from afn_project.env import BASE_DIR
from prompts.rendering import jinja
from prompts.rendering.errors import RenderingFailed, RenderingTooSlow, RenderingUnavailable
from tests.processes import wait_for

ENDLESS = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(autouse=True)
def _own_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds the workers of another; a busy machine is no slow template."""
    monkeypatch.setattr(jinja, "DEADLINE", 1.5)
    monkeypatch.setattr(jinja, "WAIT", 60.0)
    jinja.close()
    yield
    jinja.close()


def workers(pid: int | None = None) -> list[psutil.Process]:
    children = psutil.Process(pid).children()
    return [child for child in children if any("jinja_worker" in word for word in child.cmdline())]


def worker() -> psutil.Process:
    """The one worker, started where there was none."""
    assert jinja.render(["{{ a }}"], {"a": 1}) == ["1"]
    (process,) = workers()
    return process


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def script(text: str, **options: Any) -> subprocess.Popen[str]:
    """A process that imports `jinja` as a server does, with time enough for a busy machine."""
    head = "import json, os, sys\nfrom prompts.rendering import jinja\njinja.DEADLINE = 30.0\n"
    return subprocess.Popen(
        [sys.executable, "-W", "always", "-c", head + textwrap.dedent(text)],
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def told(text: str) -> Any:
    """What a script prints, as JSON; warnings are none of it."""
    with script(text, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return json.loads(output)


@on_linux
def test_a_worker_has_no_environment_no_files_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFN_SECRET_OF_THE_PARENT", "s")
    with open(__file__):
        process = worker()
    folder = Path("/proc") / str(process.pid)
    assert (folder / "environ").read_bytes() == b""
    links = {link.name: os.readlink(link) for link in (folder / "fd").iterdir()}
    assert links.pop("2") == "/dev/null"
    assert sorted(links) == ["0", "1"]
    assert all(link.startswith("socket:") for link in links.values())
    limits = {
        line[:26].strip(): line[26:].split()[:2] for line in (folder / "limits").read_text().splitlines()
    }
    for none in ("Max open files", "Max processes", "Max file size", "Max core file size"):
        assert limits[none] == ["0", "0"]
    soft, hard = limits["Max address space"]
    assert soft == hard
    assert 256 * 2**20 < int(soft) < 512 * 2**20
    assert 0 not in process.uids()


@on_linux
def test_code_within_a_worker_can_open_start_and_take_nothing() -> None:
    """What somebody could do who had broken out of the sandbox: the confinement alone, without templates."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(CONFINED), str(jinja.WORKER.parent)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    outcome = json.loads(done.stdout)
    refused = ("file", "own file", "socket", "pipe", "fork", "raise limit", "memory")
    assert {name: outcome[name] for name in refused} == dict.fromkeys(refused, "refused")
    assert outcome["environment"] == {}
    assert outcome["worn"] == [False, True, False]


CONFINED = """
    import json, os, resource, socket, sys
    sys.path.insert(0, sys.argv[1])
    import jinja_worker
    jinja_worker._confine()

    def outcome(action):
        try:
            action()
        except (OSError, MemoryError, ValueError):
            return "refused"
        return "done"

    def after_closing_one():
        os.close(2)
        os.open(sys.argv[1], os.O_RDONLY)

    outcomes = {
        "file": outcome(lambda: os.open("/etc/passwd", os.O_RDONLY)),
        "own file": outcome(after_closing_one),
        "socket": outcome(socket.socket),
        "pipe": outcome(os.pipe),
        "fork": outcome(os.fork),
        "raise limit": outcome(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))),
        "memory": outcome(lambda: bytearray(300 * 2**20)),
        "environment": dict(os.environ),
        "worn": [jinja_worker._is_worn()],
    }
    kept = bytearray(100 * 2**20)
    outcomes["worn"].append(jinja_worker._is_worn())
    del kept
    outcomes["worn"].append(jinja_worker._is_worn())
    print(json.dumps(outcomes))
"""


def test_the_server_itself_never_imports_jinja() -> None:
    assert (
        told("""
        jinja.render(["{{ a }}"], {"a": 1}), jinja.analyse(["{{ a }}"])
        print(json.dumps([name for name in sys.modules if name.startswith(("jinja2", "django"))]))
    """)
        == []
    )


def test_one_worker_is_kept_for_many_requests() -> None:
    first = worker()
    assert worker() == first


def test_threads_share_a_few_workers_and_get_their_own_texts() -> None:
    def many(thread: int) -> list[str]:
        return [jinja.render([f"{{{{ a }}}} {i}"], {"a": thread})[0] for i in range(50)]

    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(many, range(8)))
    assert texts == [[f"{thread} {i}" for i in range(50)] for thread in range(8)]
    assert 1 <= len(workers()) <= jinja.MAX_WORKERS


def test_a_slow_template_does_not_make_others_wait() -> None:
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(jinja.render, [ENDLESS], {})
        wait_for(lambda: workers())
        assert jinja.render(["{{ a }}"], {"a": 1}) == ["1"]
        assert not slow.done()
        with pytest.raises(RenderingTooSlow):
            slow.result()


def test_waiting_for_a_worker_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jinja, "WAIT", 0.01)
    places = jinja._pool._places
    for _ in range(jinja.MAX_WORKERS):
        places.acquire()
    try:
        with pytest.raises(RenderingUnavailable, match="none that was free within 0\\.01 seconds"):
            jinja.render(["a"], {})
    finally:
        places.release(jinja.MAX_WORKERS)
    assert jinja.render(["a"], {}) == ["a"]


def test_a_worker_that_was_too_slow_is_replaced() -> None:
    first = worker()
    with pytest.raises(RenderingTooSlow):
        jinja.render([ENDLESS], {})
    assert is_gone(first)
    assert worker() != first


def test_a_worker_is_replaced_after_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jinja, "MAX_REQUESTS", 3)
    pids = []
    for i in range(7):
        pids += [process.pid for process in workers()]
        assert jinja.render(["{{ a }}"], {"a": i}) == [str(i)]
    assert len(pids) == 4  # none was left after each third request
    assert len(set(pids)) == 2


def test_a_worker_that_somebody_ended_is_replaced() -> None:
    """The request that nobody read is sent once more."""
    first = worker()
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: is_gone(first))
    assert worker() != first


def test_an_interrupted_wait_leaves_no_answer_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    first = worker()

    def interrupt(self: Any, ends: float) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(jinja._Worker, "_receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            jinja.render(["secret"], {})
    assert is_gone(first)
    assert jinja.render(["mine"], {}) == ["mine"]


def test_closing_ends_the_workers() -> None:
    first = worker()
    jinja.close()
    assert is_gone(first)


def test_the_end_of_the_server_is_the_end_of_its_workers() -> None:
    with script("jinja.render([''], {}); print('ready', flush=True); sys.stdin.read()") as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        (process,) = workers(server.pid)
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert wait_for(lambda: is_gone(process))


def test_a_killed_server_leaves_no_worker() -> None:
    with script("jinja.render([''], {}); print('ready', flush=True); sys.stdin.read()") as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        (process,) = workers(server.pid)
        server.kill()
    assert wait_for(lambda: is_gone(process))


def test_a_killed_server_leaves_no_worker_that_is_busy() -> None:
    with script(f"print('ready', flush=True); jinja.render([{ENDLESS!r}], {{}})") as server:
        wait_for(lambda: workers(server.pid))
        (process,) = workers(server.pid)
        assert wait_for(lambda: process.cpu_times().user > 0.4)
        assert not is_gone(process)
        server.kill()
    assert wait_for(lambda: is_gone(process))


def test_both_sides_of_a_fork_go_on_with_workers_of_their_own() -> None:
    outcome = told("""
        import psutil
        def worker():
            (child,) = [c for c in psutil.Process().children() if "-I" in c.cmdline()]
            return child.pid
        jinja.render([""], {})
        before = worker()
        reader, writer = os.pipe()
        child = os.fork()
        texts = [jinja.render(["{{ a }}"], {"a": f"{child == 0} {i}"})[0] for i in range(200)]
        assert texts == [f"{child == 0} {i}" for i in range(200)], texts
        if child == 0:
            os.write(writer, str(worker()).encode())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps([status, before, worker(), int(os.read(reader, 20))]))
    """)
    status, before, after, of_child = outcome
    assert status == 0
    assert before == after != of_child
    assert wait_for(lambda: not psutil.pid_exists(of_child) or is_gone(psutil.Process(of_child)))


def test_a_forked_child_does_not_keep_the_workers_of_its_parent() -> None:
    """They end with the last copy of their socket, and a prefork server's children outlive nobody."""
    text = """
        jinja.render([""], {})
        if os.fork() == 0:
            sys.stdin.read()
            os._exit(0)
        print("ready", flush=True)
        os.wait()
    """
    with script(text) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        (process,) = workers(server.pid)
        (child,) = [one for one in psutil.Process(server.pid).children() if one != process]
        server.kill()
        assert wait_for(lambda: is_gone(process))
        assert not is_gone(child)
        assert server.stdin is not None
        server.stdin.close()
        assert wait_for(lambda: is_gone(child))


# Workers of another kind: whatever a broken one says has to become a clear error.

Fake = Callable[[str], None]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """Let the workers be ready and then run these lines for a request, with `send` for a frame."""

    def install(text: str) -> None:
        file = tmp_path / "jinja_worker_of_a_test.py"
        file.write_text(FAKE + textwrap.indent(textwrap.dedent(text), "    "))
        monkeypatch.setattr(jinja, "WORKER", file)

    return install


FAKE = """
import json, os, pathlib, sys, time

def send(body):
    os.write(1, len(body).to_bytes(4, "big") + body)

send(b"{}")
while header := sys.stdin.buffer.read(4):
    request = json.loads(sys.stdin.buffer.read(int.from_bytes(header, "big")))
"""


@pytest.mark.parametrize(
    "lines",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 11)",
        "os.write(1, b'Traceback (most recent call last)'); time.sleep(60)",
        "os.write(1, b'\\xff\\xff\\xff\\xff')",
        "os.write(1, b'\\0\\0\\0\\x09{}'); os._exit(0)",
        "send(b'')",
        "send(b'{')",
        "send(b'\\xff')",
        "send(b'[]')",
        "send(b'null')",
        "send(b'{}')",
        "send(b'[' * 100_000)",
        'send(b\'{"texts": 1, "worn": false}\')',
        'send(b\'{"texts": [1], "worn": false}\')',
        'send(b\'{"texts": [], "worn": false}\')',
        'send(b\'{"texts": ["a", "b"], "worn": false}\')',
        'send(b\'{"problem": 1, "worn": false}\')',
        'send(b\'{"problem": {"kind": "syntax", "template": 7, "line": 1, "message": "m"}}\')',
        'send(b\'{"problem": {"kind": "syntax", "template": -1, "line": 1, "message": "m"}}\')',
    ],
)
def test_nonsense_from_a_worker_is_a_clear_error(fake: Fake, lines: str) -> None:
    fake(lines)
    with pytest.raises(RenderingFailed) as caught:
        jinja.render(["{{ a }}"], {"a": 1})
    expected = "a template that can be rendered"
    assert (
        str(caught.value)
        == f"content: expected {expected}, got one that broke the process it was rendered in."
    )


def test_more_than_one_answer_is_never_the_answer_to_what_is_asked_next(fake: Fake) -> None:
    answer = b'{"texts": ["a"], "worn": false}'
    frame = len(answer).to_bytes(4, "big") + answer
    fake(f"os.write(1, {frame + frame!r})")
    with pytest.raises(RenderingFailed):
        jinja.render(["{{ a }}"], {"a": 1})


def test_a_worker_that_sends_half_an_answer_is_too_slow(fake: Fake) -> None:
    fake("os.write(1, b'\\0\\0\\0\\x09{}'); time.sleep(60)")
    with pytest.raises(RenderingTooSlow):
        jinja.render(["a"], {})


def test_a_worker_that_does_not_read_is_too_slow(fake: Fake) -> None:
    fake('send(b\'{"texts": ["a"], "worn": false}\'); time.sleep(60)')
    assert jinja.render(["a"], {}) == ["a"]
    with pytest.raises(RenderingTooSlow):
        jinja.render(["{{ a }}"], {"a": "x" * 3_000_000})


def test_a_request_that_ended_a_worker_is_not_tried_again(fake: Fake, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    fake(f"pathlib.Path({str(seen)!r}).open('a').write('x'); os._exit(1)")
    with pytest.raises(RenderingFailed):
        jinja.render(["a"], {})
    assert seen.read_text() == "x"


def test_a_worn_worker_is_replaced(fake: Fake) -> None:
    fake("send(json.dumps({'texts': [str(os.getpid())], 'worn': request['variables']['worn']}).encode())")
    pids = [jinja.render(["a"], {"worn": worn})[0] for worn in (False, True, False, False)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_worker_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for executable in (sys.executable, "no-such-python"):
        monkeypatch.setattr(sys, "executable", executable)
        monkeypatch.setattr(jinja, "WORKER", Path("no-such-file"))
        with pytest.raises(RenderingUnavailable, match="got none that could be started"):
            jinja.render(["a"], {})


def test_a_start_has_an_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake("pass")
    monkeypatch.setattr(jinja, "START", 0.0)
    with pytest.raises(RenderingUnavailable):
        jinja.render(["a"], {})
    assert workers() == []


def test_failed_starts_take_no_places(monkeypatch: pytest.MonkeyPatch) -> None:
    real = jinja.WORKER
    monkeypatch.setattr(jinja, "WORKER", Path("no-such-file"))
    for _ in range(jinja.MAX_WORKERS + 1):
        with pytest.raises(RenderingUnavailable, match="could be started"):
            jinja.render(["a"], {})
    monkeypatch.setattr(jinja, "WORKER", real)
    assert jinja.render(["a"], {}) == ["a"]
