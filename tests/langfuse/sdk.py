"""The official SDKs of Langfuse, each in a virtual environment of its own below ``var/``.

Their versions are pinned in ``requirements-sdk*.txt``. A test that asks for one installs it; where that
cannot be done it is skipped, and fails where all must run (``AFN_REQUIRE_SERVERS=1`` or ``CI``).
"""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

VERSIONS = (4, 5)
HERE = Path(__file__).resolve().parent
VENVS = HERE.parent.parent / "var" / "langfuse-venvs"


def require(version: int) -> str:
    """The path of a Python that has the SDK of this major version."""
    folder, pinned = VENVS / str(version), HERE / f"requirements-sdk{version}.txt"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    VENVS.mkdir(parents=True, exist_ok=True)
    with (VENVS / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of these tests want it, too
        if not stamp.exists() or stamp.read_text() != pinned.read_text():
            venv.create(folder, clear=True, with_pip=False)  # it needs none of its own
            for command in _commands(python, pinned):
                done = subprocess.run(command, capture_output=True, text=True, timeout=300)
                if done.returncode == 0:
                    break
            else:
                _missing(f"langfuse {version} could not be installed: {done.stderr[-500:]}")
            stamp.write_text(pinned.read_text())
    return str(python)


def _commands(python: Path, pinned: Path) -> list[list[str]]:
    """What installs, one after the other, as in the Makefile."""
    uv, arguments = Path(sys.executable).parent / "uv", ["--quiet", "--requirement", str(pinned)]
    quick = [[str(uv), "pip", "install", "--python", str(python), *arguments]] if uv.exists() else []
    return [*quick, [sys.executable, "-m", "pip", "--python", str(python), "install", *arguments]]


def run(python: str, script: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script with the SDK, and with nothing in its environment but what it is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [python, str(script)], env=kept | variables, capture_output=True, text=True, timeout=180
    )


def _missing(reason: str) -> None:
    if os.environ.get("AFN_REQUIRE_SERVERS") == "1" or os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
