"""`edit`: the decrypted text in an editor, in a folder of memory that nobody else can enter."""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Literal

from . import files
from .changing import open_current, save
from .keys import KEY, Store
from .problems import SecretProblem
from .reading import ENCRYPTED, PLAIN
from .sealing import MOST_PLAIN

Decision = Literal["again", "save", "keep"]
Outcome = Literal["saved", "unchanged", "kept"]
_PREFIX: Final = "afn-secure-env-"


def edit(
    folder: Path,
    store: Store,
    *,
    check: Callable[[str, str], list[str]],
    decide: Callable[[list[str]], Decision],
    environ: Mapping[str, str] = os.environ,
) -> Outcome:
    """Let an editor change what `.env.enc` holds. `decide` judges the lines of `check(old, new)`."""
    command = find_editor(environ)
    with files.locked(folder):
        opened = open_current(folder / ENCRYPTED, store)
        with _private_folder(environ) as private:
            file = private / PLAIN
            _write(file, opened.text)
            while True:
                _run([*command, str(file)], environ)
                text = files.as_text(
                    files.read_limited(file, MOST_PLAIN, "The edited file"), "The edited file"
                )
                if text == opened.text:
                    return "unchanged"
                if not (problems := check(opened.text, text)):
                    break
                decision = decide(problems)
                if decision == "keep":
                    return "kept"
                if decision == "save":
                    break
        save(folder, text, opened.key)
    return "saved"


def find_editor(environ: Mapping[str, str]) -> list[str]:
    """The words of $VISUAL or $EDITOR; no shell reads them."""
    for name in ("VISUAL", "EDITOR"):
        if text := environ.get(name, "").strip():
            try:
                words = shlex.split(text)
            except ValueError:
                raise SecretProblem(f"{name}: expected a command such as `nano`, got {text!r}.") from None
            if shutil.which(words[0]) is None:
                raise SecretProblem(f"{name}: there is no program {words[0]!r}.")
            return words
    raise SecretProblem("No editor is named. Set EDITOR, such as EDITOR=nano.")


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    own = {name: value for name, value in environ.items() if name != KEY}
    # Ctrl-C in the terminal is for the editor. A handler, and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.run(command, env=own, check=False).returncode  # noqa: S603
    except OSError as error:
        raise SecretProblem(f"{command[0]} cannot be started: {error.strerror}.") from None
    finally:
        signal.signal(signal.SIGINT, before)
    if status:
        raise SecretProblem(f"Nothing is changed: {command[0]} ended with status {status}.")


@contextmanager
def _private_folder(environ: Mapping[str, str]) -> Iterator[Path]:
    """A folder for this user alone, in memory where that can be had; gone afterwards, also after SIGTERM.

    The next `edit` removes what a killed one (SIGKILL) has left: the lock tells that nobody uses it.
    """
    places = [place for place in _places(environ) if place.is_dir() and os.access(place, os.W_OK | os.X_OK)]
    for place in places:
        _sweep(place)
    with _ending_in_order():
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=places[0]))
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SecretProblem(f"No folder can be made in {places[0]}: {error.strerror}.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield folder
        finally:
            shutil.rmtree(folder)
            os.close(descriptor)


def _places(environ: Mapping[str, str]) -> list[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    usual = [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108 - mkdtemp makes a folder of one's own
    return [Path(runtime), *usual] if runtime.startswith("/") else usual


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit, so that what has to be removed is."""

    def end(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(file: Path, text: str) -> None:
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(text.encode())
    except OSError as error:
        raise SecretProblem(f"{file} cannot be written: {error.strerror}.") from None
