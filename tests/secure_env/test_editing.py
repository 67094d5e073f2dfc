"""`edit`: what the editor gets, what is kept of what it writes, and that nothing of it stays behind."""

import os
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from afn_project.env import BASE_DIR
from afn_project.secure_env import changing, editing
from afn_project.secure_env.keys import KEY, KEY_FILE, FileStore
from afn_project.secure_env.problems import SecretProblem
from afn_project.secure_env.reading import open_encrypted
from tests.processes import clean_environment, wait_for

from .conftest import TEXT

pytestmark = pytest.mark.usefixtures("cheap")
Edit = Callable[..., editing.Outcome]
EDITING = """
import sys
from pathlib import Path
from afn_project.secure_env import editing, sealing
from afn_project.secure_env.keys import find_store
sealing.USUAL = sealing.LOWEST = sealing.Cost(2**10, 8, 1)
folder = Path(sys.argv[1])
editing.edit(folder, find_store(folder), check=lambda old, new: [], decide=lambda problems: "keep")
"""
WAITING = """
import os, sys, time
parent = os.getppid()
open(sys.argv[1], "a").write("X=1")
open(sys.argv[1] + ".swp", "w")
while os.getppid() == parent:
    time.sleep(0.05)
"""


@pytest.fixture
def encrypted(folder: Path, store: FileStore) -> Path:
    changing.encrypt(folder, store, remove_plain=True)
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """What stands for the user's folder in memory."""
    (tmp_path / "memory").mkdir(mode=0o700)
    return tmp_path / "memory"


@pytest.fixture
def edit(encrypted: Path, store: FileStore, memory: Path, tmp_path: Path) -> Edit:
    """Edit with a script of Python in which `path` is the file."""

    def edit(
        script: str, decide: str = "keep", problems: tuple[str, ...] = (), **environ: str
    ) -> editing.Outcome:
        (tmp_path / "editor.py").write_text(f"import sys, os; path = sys.argv[1]\n{script}\n")
        command = shlex.join([sys.executable, str(tmp_path / "editor.py")])
        answers = iter(decide.split())
        asked = {"EDITOR": command, "XDG_RUNTIME_DIR": str(memory), **environ}
        return editing.edit(
            encrypted,
            store,
            check=lambda old, new: list(problems) if "WRONG" in new else [],
            decide=lambda found: next(answers),  # type: ignore[arg-type,return-value]
            environ=os.environ | asked,
        )

    return edit


def text_of(folder: Path, store: FileStore) -> str:
    return open_encrypted(folder / ".env.enc", store).text


def test_what_the_editor_writes_is_what_the_file_holds(
    edit: Edit, encrypted: Path, store: FileStore, memory: Path
) -> None:
    assert edit("open(path, 'a').write('DEBUG=0\\n')") == "saved"
    assert text_of(encrypted, store) == TEXT + "DEBUG=0\n"
    assert list(memory.iterdir()) == []
    assert {path.name for path in encrypted.iterdir()} == {".env.enc"}


def test_the_editor_has_a_file_of_its_owner_in_a_folder_of_its_owner(edit: Edit, tmp_path: Path) -> None:
    report = tmp_path / "report"
    edit(
        "modes = [oct(os.stat(name).st_mode) for name in (path, os.path.dirname(path))]\n"
        f"open({str(report)!r}, 'w').write(' '.join([path, *modes, str({KEY!r} in os.environ)]))",
        **{KEY: "k" * 43},
    )
    path, *modes, has_key = report.read_text().split()
    assert Path(path).parent.parent == tmp_path / "memory"
    assert modes == [oct(stat.S_IFREG | 0o600), oct(stat.S_IFDIR | 0o700)]
    assert has_key == "False"


def test_a_text_that_stays_as_it_is_is_not_encrypted_again(edit: Edit, encrypted: Path) -> None:
    before = (encrypted / ".env.enc").read_bytes()
    assert edit("pass") == "unchanged"
    assert (encrypted / ".env.enc").read_bytes() == before


@pytest.mark.parametrize(
    ("decide", "outcome", "is_kept"),
    [("keep", "kept", False), ("save", "saved", True), ("again keep", "kept", False)],
)
def test_what_is_wrong_is_judged_before_it_is_kept(
    edit: Edit, encrypted: Path, store: FileStore, decide: str, outcome: str, is_kept: bool
) -> None:
    assert edit("open(path, 'a').write('WRONG=1\\n')", decide, ("WRONG: no such variable",)) == outcome
    assert ("WRONG" in text_of(encrypted, store)) == is_kept


def test_what_was_written_is_still_there_the_second_time(
    edit: Edit, encrypted: Path, store: FileStore
) -> None:
    script = (
        "text = open(path).read()\n"
        "open(path, 'w').write(text.replace('WRONG', 'RIGHT') if 'WRONG' in text else text + 'WRONG=1\\n')"
    )
    assert edit(script, "again", ("WRONG: no such variable",)) == "saved"
    assert text_of(encrypted, store) == TEXT + "RIGHT=1\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("open(path, 'a').write('X=1'); sys.exit(3)", "Nothing is changed: .* ended with status 3"),
        ("os.unlink(path)", "The edited file: there is no such file"),
        ("open(path, 'wb').write(b'canary\\xfc')", "The edited file: expected UTF-8 text"),
        ("open(path, 'w').write('canary' * 50_000)", "The edited file: expected 256,000 bytes at most"),
    ],
)
def test_an_editor_that_fails_changes_nothing(
    edit: Edit, encrypted: Path, store: FileStore, memory: Path, script: str, message: str
) -> None:
    with pytest.raises(SecretProblem, match=message) as caught:
        edit(script)
    assert "canary" not in str(caught.value)
    assert text_of(encrypted, store) == TEXT
    assert list(memory.iterdir()) == []


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "No editor is named. Set EDITOR"),
        ({"EDITOR": " "}, "No editor is named"),
        ({"EDITOR": "no-such-program --wait"}, "EDITOR: there is no program 'no-such-program'"),
        ({"VISUAL": "'", "EDITOR": "true"}, "VISUAL: expected a command"),
    ],
)
def test_without_an_editor_nothing_is_decrypted(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SecretProblem, match=message):
        editing.find_editor(environ)


def test_the_editors_command_is_words_and_never_a_line_for_a_shell() -> None:
    words = editing.find_editor({"VISUAL": "env 'a b' $(touch x)", "EDITOR": "true"})
    assert words == ["env", "a b", "$(touch", "x)"]


def start(folder: Path, key_file: Path, memory: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Edit in a process of its own, with an editor that waits; it runs by the end."""
    editor = tmp_path / "waiting.py"
    editor.write_text(WAITING)
    environment = clean_environment(
        **{KEY_FILE: str(key_file)}, EDITOR=f"{sys.executable} {editor}", XDG_RUNTIME_DIR=str(memory)
    )
    process = subprocess.Popen([sys.executable, "-c", EDITING, str(folder)], env=environment, cwd=BASE_DIR)
    assert wait_for(lambda: list(memory.glob("*/.env.swp")))
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_edit_that_is_ended_leaves_nothing(
    encrypted: Path, store: FileStore, key_file: Path, memory: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = start(encrypted, key_file, memory, tmp_path)
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    assert list(memory.iterdir()) == []
    assert text_of(encrypted, store) == TEXT


def test_what_a_killed_edit_has_left_the_next_one_removes(
    edit: Edit, encrypted: Path, store: FileStore, key_file: Path, memory: Path, tmp_path: Path
) -> None:
    process = start(encrypted, key_file, memory, tmp_path)
    [left] = memory.iterdir()
    with pytest.raises(SecretProblem, match=r"Another `manage.py secure_env` is at work"):
        edit("pass")
    assert left.exists()
    process.kill()
    process.wait(20)
    assert text_of(encrypted, store) == TEXT
    assert edit("pass") == "unchanged"
    assert list(memory.iterdir()) == []
