"""Keys in the operating system's keyring: macOS's Keychain, or the Secret Service of a Linux desktop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .problems import SecretProblem

PATIENCE: Final = 20.0  # seconds: a window may ask its user for leave
_ELSE: Final = (
    "Set AFN_ENV_KEY_FILE to a key file instead, or AFN_ENV_KEY; "
    "`manage.py secure_env encrypt --key-file PATH` makes the first key."
)
_PROBLEMS: Final = {
    "missing": "the package `keyring` is not installed (`pip install keyring`)",
    "none": "this machine has none that can be used, as in a container",
}
_CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent


def ask(names: list[str], *, patience: float = PATIENCE, **request: Any) -> Mapping[str, str | None]:
    """The keys of these names, after what else is asked for: `write={name: key}`, `delete=[name]`."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", f"{__package__}.keyring_process"],
        cwd=_CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # no terminal on which a backend could ask for a password
    )
    try:
        output, _ = process.communicate(json.dumps({"names": names, **request}).encode(), patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise SecretProblem(
            f"The keyring did not answer within {patience:g} seconds: it is locked, perhaps. {_ELSE}"
        ) from None
    try:
        found = json.loads(output)
    except ValueError:  # not chained: it holds the output
        found = {"problem": "failed", "kind": f"exit code {process.returncode}"}
    if problem := found.get("problem"):
        reason = _PROBLEMS.get(problem) or f"it refused ({found.get('kind')})"
        raise SecretProblem(f"The keyring cannot be used: {reason}. {_ELSE}")
    keys: dict[str, str | None] = found["keys"]
    return keys
