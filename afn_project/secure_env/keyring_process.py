"""The operating system's keyring, in a process that `keyrings` starts and, where it does not answer, ends.

A locked keyring waits for somebody to type a password into a window, which a container or a server does not
have. Reads one request as JSON from its input and answers with JSON: keys go through pipes, never through
arguments or variables, which others can list.
"""

import json
import sys
from typing import Any

SERVICE = "AutoForgeNexus"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """`{"keys": {name: key or null}}` after whatever was asked for, or `{"problem": kind}`."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return {"problem": "missing"}
    try:
        if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
            return {"problem": "none"}
        names: list[str] = request["names"]
        for name, key in request.get("write", {}).items():
            keyring.set_password(SERVICE, name, key)
        for name in request.get("delete", []):
            if keyring.get_password(SERVICE, name) is not None:
                keyring.delete_password(SERVICE, name)
        return {"keys": {name: keyring.get_password(SERVICE, name) for name in names}}
    except Exception as error:  # noqa: BLE001 - backends raise what they like, with texts that may hold anything
        return {"problem": "failed", "kind": type(error).__name__}


def main() -> None:
    json.dump(answer(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
