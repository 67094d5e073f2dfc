"""Print a line for `.env`: the token with which AFN opens its database on a libSQL server for 30 days.

    python deploy/app_token.py KEYS PUBLIC NAMESPACE

Needs no server and no settings, so that it can run before either is there. KEYS is the folder of the signing
key (AFN_TOKEN_KEYS); without keys it makes them. PUBLIC is a folder that the server may read: it gets
``public.pem`` for ``--auth-jwt-key-file``, and ``health-token``, which reads only, for the health check.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ops.environments.base import EnvironmentProblem
from ops.environments.tokens import MAX_LONG_LIFETIME, PUBLIC, generate_keys, has_keys, mint_token

HEALTH_TOKEN = "health-token"  # noqa: S105 - the name of a file


def prepare(keys: Path, public: Path, namespace: str) -> str:
    """The token; `public` is brought up to date. Raises ``EnvironmentProblem`` and ``OSError``."""
    if not has_keys(keys):
        generate_keys(keys)
    token = _mint(keys, namespace, read_only=False)
    if not public.is_dir():
        public.mkdir()
        public.chmod(0o755)
    _replace(public / PUBLIC, (keys / PUBLIC).read_text())
    # For every namespace: it also reads where the one of AFN is yet to be made.
    _replace(public / HEALTH_TOKEN, _mint(keys, None, read_only=True))
    return token


def _mint(keys: Path, namespace: str | None, *, read_only: bool) -> str:
    life: timedelta = MAX_LONG_LIFETIME
    token = mint_token(keys, namespace=namespace, read_only=read_only, lifetime=life, allow_long=True)
    return str(token.text)


def _replace(file: Path, text: str) -> None:
    """In one step, and readable by the server, which is another user."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o644)
    os.replace(new, file)


def main(arguments: list[str]) -> None:
    if len(arguments) != 3:
        sys.exit("usage: app_token.py KEYS PUBLIC NAMESPACE")
    keys, public, namespace = arguments
    try:
        token = prepare(Path(keys), Path(public), namespace)
    except (EnvironmentProblem, OSError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"TURSO_AUTH_TOKEN={token}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
