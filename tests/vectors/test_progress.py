"""Progress: a bar for people, lines for logs, nothing for machines."""

import io

from vectors.progress import track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_now_and_then():
    out = io.StringIO()
    ticks = iter(range(1_000))
    assert list(track(range(5), "Importing", 5, stream=out, clock=lambda: next(ticks))) == [0, 1, 2, 3, 4]
    lines = out.getvalue().splitlines()
    assert lines[-1] == "Importing: 5/5"
    assert 1 < len(lines) < 5


def test_a_short_run_is_one_line():
    out = io.StringIO()
    list(track(range(3), "Importing", stream=out, clock=lambda: 0.0))
    assert out.getvalue() == "Importing: 3\n"


def test_nothing_to_do_is_not_told():
    out = io.StringIO()
    assert list(track([], "Importing", 0, stream=out)) == []
    assert out.getvalue() == ""


def test_a_machine_gets_nothing():
    out = io.StringIO()
    assert list(track(range(3), "Importing", 3, quiet=True, stream=out)) == [0, 1, 2]
    assert out.getvalue() == ""


def test_a_terminal_gets_a_bar():
    out = Terminal()
    assert list(track(range(3), "Importing", 3, stream=out)) == [0, 1, 2]
    assert "Importing" in out.getvalue()
