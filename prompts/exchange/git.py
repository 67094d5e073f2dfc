"""Reading a local git repository that may be anybody's, without running anything that it asks for.

Objects alone are read (``rev-list``, ``cat-file``): nothing is checked out, so that no filter, hook, pager,
text conversion or file-system monitor of its configuration has a turn; none of the options that would run
one is left to it, and no protocol is allowed, so that what is missing is fetched from nowhere.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .problems import ImportFileError

TIMEOUT: Final = 60.0  # seconds for an answer
MAX_COMMITS: Final = 50_000
MAX_OBJECT: Final = 16 * 1024 * 1024  # bytes of a blob, commit or tree
MAX_TREES: Final = 1_000_000  # entries that are read of trees
_TREE, _LINK, _SUBMODULE = 0o040000, 0o120000, 0o160000
_HARDENED: Final = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.pager=cat",
    "-c", "core.sshCommand=false",
    "-c", "core.askPass=false",
    "-c", "core.gitProxy=false",
    "-c", "core.alternateRefsCommand=false",
    "-c", "core.commitGraph=false",
    "-c", "core.untrackedCache=false",
    "-c", "credential.helper=",
    "-c", "diff.external=",
    "-c", "gc.auto=0",
    "-c", "gpg.program=false",
    "-c", "log.showSignature=false",
    "-c", "maintenance.auto=false",
    "-c", "protocol.allow=never",
    "-c", "safe.bareRepository=all",
    "-c", "safe.directory=*",
    "-c", "submodule.recurse=false",
)  # fmt: skip
_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",  # what a repository allows by name would go before protocol.allow
    "GIT_ASKPASS": "false",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_SSH_COMMAND": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "SSH_ASKPASS": "false",
    "XDG_CONFIG_HOME": "/nonexistent",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Of a tree; ``mode`` as git has it."""

    mode: int
    name: bytes
    id: str

    @property
    def is_tree(self) -> bool:
        return self.mode == _TREE

    @property
    def is_file(self) -> bool:
        """Neither a folder nor a symbolic link nor a submodule."""
        return self.mode not in (_TREE, _LINK, _SUBMODULE)


@dataclass(frozen=True, slots=True)
class Commit:
    id: str
    tree: str
    author: bytes
    email: bytes
    time: int  # seconds since 1970
    message: bytes
    encoding: str = "utf-8"


class Repository:
    """A repository to be read within a ``with``. Raises ``ImportFileError`` where git fails or is too slow.

    It is looked for by name alone, in `folder` and above it: git would ask the configuration where the
    working tree is, and refuse what belongs to another user.
    """

    def __init__(self, folder: Path, *, timeout: float = TIMEOUT) -> None:
        self.folder = folder
        git = shutil.which("git")
        if git is None:
            raise ImportFileError("--git: expected the program git, which is not installed.")
        self._git, self._timeout = git, timeout
        self._directory, self.prefix = _find(folder)
        self._checker: _Batch | None = None
        self._reader: _Batch | None = None
        self._trees = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._deadline: float | None = None
        self._is_late = False
        self._ended = threading.Event()

    def __enter__(self) -> "Repository":
        threading.Thread(target=self._watch, daemon=True, name="git").start()
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever still runs is killed: it has nothing to tidy up."""
        self._ended.set()
        for process in self._running:
            _kill(process)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):  # what was written and not read
                        pipe.close()

    def commits(self) -> list[str]:
        """Ids of what the branch was, from the newest to the first: of a merge the side it went into."""
        count = f"--max-count={MAX_COMMITS + 1}"
        found = self._ask(["rev-list", "--first-parent", count, "--end-of-options", "HEAD", "--"]).split()
        if len(found) > MAX_COMMITS:
            raise ImportFileError(f"{self.folder}: expected at most {MAX_COMMITS:,} commits, got more.")
        return [one.decode("ascii") for one in found]

    def commit(self, key: str) -> Commit:
        return _parse_commit(key, self._object(key, b"commit"))

    def tree(self, key: str) -> list[Entry]:
        entries = list(_parse_tree(self._object(key, b"tree"), len(key) // 2))
        self._trees += len(entries)
        if self._trees > MAX_TREES:
            raise ImportFileError(
                f"{self.folder}: expected at most {MAX_TREES:,} entries of trees, got more."
            )
        return entries

    def blob(self, key: str) -> bytes | None:
        """The content of a file; None where it is larger than ``MAX_OBJECT``, or missing."""
        kind, size = self._look(key)
        return self._object(key, b"blob") if kind == b"blob" and size <= MAX_OBJECT else None

    def _object(self, key: str, wanted: bytes) -> bytes:
        kind, size = self._look(key)
        if kind != wanted or size > MAX_OBJECT:
            got = f"one of {size:,}" if kind == wanted else kind.decode() or "nothing"
            expected = f"a {wanted.decode()} of at most {MAX_OBJECT:,} bytes"
            raise ImportFileError(f"{self.folder}: expected {expected} for the object {key}, got {got}.")
        if self._reader is None:
            self._reader = _Batch(self._start(["cat-file", "--batch"], pipe=True))
        with self._in_time():
            kind, size = self._header(self._reader, key)
            content = self._reader.output.read(size + 1)
        if len(content) != size + 1:
            raise self._failed("an object")
        return content[:-1]

    def _look(self, key: str) -> tuple[bytes, int]:
        """The type and the size of an object; no type where it is missing."""
        if self._checker is None:
            self._checker = _Batch(self._start(["cat-file", "--batch-check"], pipe=True))
        with self._in_time():
            return self._header(self._checker, key)

    def _header(self, batch: "_Batch", key: str) -> tuple[bytes, int]:
        try:
            batch.input.write(key.encode("ascii") + b"\n")
            batch.input.flush()
            parts = batch.output.readline(1_000).split()
        except (OSError, ValueError) as error:
            raise self._failed("an object") from error
        if len(parts) == 2 and parts[1] == b"missing":
            return b"", 0
        if len(parts) != 3:
            raise self._failed("an object")
        return parts[1], int(parts[2])

    def _ask(self, arguments: Sequence[str]) -> bytes:
        process = self._start(arguments, pipe=False)
        with self._in_time():
            output, _ = process.communicate()
        if process.returncode:
            raise self._failed("a git repository with a commit")
        return output

    def _start(self, arguments: Sequence[str], *, pipe: bool) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - no shell, and no argument that the repository names
            [self._git, *_HARDENED, f"--git-dir={self._directory}", *arguments],
            cwd="/",
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, **_ENVIRONMENT},
            start_new_session=True,
        )
        self._running.append(process)
        return process

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        self._deadline = time.monotonic() + self._timeout
        try:
            yield
        finally:
            self._deadline = None

    def _watch(self) -> None:
        while not self._ended.wait(min(0.2, self._timeout)):
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                self._is_late = True
                for process in self._running:
                    _kill(process)

    def _failed(self, expected: str) -> ImportFileError:
        if self._is_late:
            expected = f"an answer of git within {self._timeout:g} seconds"
            return ImportFileError(f"{self.folder}: expected {expected}, got none.")
        return ImportFileError(f"{self.folder}: expected {expected}, got an error of git.")


class _Batch:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.input: IO[bytes] = process.stdin
        self.output: IO[bytes] = process.stdout


def _find(folder: Path) -> tuple[Path, bytes]:
    """The directory of the repository, and where `folder` is in its tree: a path that ends with a slash."""
    if not folder.is_dir():
        raise ImportFileError(f"{folder}: expected a folder of a git repository.")
    folder = folder.resolve()
    for root in (folder, *folder.parents):
        found = root / ".git"
        if found.is_symlink():
            raise ImportFileError(f"{found}: expected a directory of git, got a symbolic link.")
        if found.exists():
            inner = os.fsencode(folder.relative_to(root))
            return found, b"" if inner == b"." else inner + b"/"
    raise ImportFileError(f"{folder}: expected a folder of a git repository, got one without .git.")


def _parse_commit(key: str, content: bytes) -> Commit:
    head, _, message = content.partition(b"\n\n")
    tree, author, encoding = "", b"", "utf-8"
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        match name:
            case b"tree":
                tree = value.decode("ascii", errors="replace")
            case b"author":
                author = value
            case b"encoding":
                encoding = value.decode("ascii", errors="replace")
    person, _, when = author.rpartition(b"> ")
    name, _, email = person.rpartition(b"<")
    seconds = when.split(b" ")[0]
    time_ = int(seconds) if seconds.isdigit() and len(seconds) < 12 else 0
    return Commit(key, tree, name.strip(), email.strip(), time_, message, encoding)


def _parse_tree(content: bytes, width: int) -> Iterator[Entry]:
    """`width` are the bytes of an id."""
    at = 0
    while at < len(content):
        end = content.find(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        key = content[end + 1 : end + 1 + width]
        if end < 0 or len(key) != width or not name or len(mode) > 6 or mode.strip(b"01234567"):
            raise ImportFileError("--git: expected a tree of git, got a broken one.")
        yield Entry(int(mode, 8), name, key.hex())
        at = end + 1 + width


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
