"""The official SDKs, unmodified, against AFN's own web server over a libSQL file."""

import json
from pathlib import Path

import pytest

from tests.processes import manage, website
from tests.servers import free_port

from . import sdk
from .scenarios import SCENARIOS

SCRIPT = Path(__file__).with_name("scenarios.py")
MAKE = """
import json
from prompts.models import ApiKey, User
user = User.objects.create_superuser("root", "root@example.com", "x")
key, secret = ApiKey.issue(user, "tests", ["read", "write"])
print(json.dumps([key.public_key, secret]))
"""


@pytest.mark.parametrize("version", sdk.VERSIONS)
def test_the_sdk_does_what_it_does_with_langfuse(version: int, tmp_path: Path) -> None:
    """All scenarios in one test: the site and the SDK take longer to start than all of them to run."""
    python = sdk.require(version)
    place = {"AFN_DATABASE_FILE": str(tmp_path / "afn.db")}
    assert manage("migrate", **place).returncode == 0
    made = manage("shell", "-v", "0", "-c", MAKE, **place)
    assert made.returncode == 0, made.stderr
    public, secret = json.loads(made.stdout.split("\n")[-2])
    with website(tmp_path / "log", ALLOWED_HOSTS="127.0.0.1", **place) as url:
        variables = {"LANGFUSE_PUBLIC_KEY": public, "LANGFUSE_SECRET_KEY": secret}
        variables |= {"LANGFUSE_BASE_URL": url, "CLOSED_PORT": str(free_port())}
        done = sdk.run(python, SCRIPT, variables)
    assert done.returncode == 0, done.stderr
    results: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    assert list(results) == list(SCENARIOS)
    if failed := [f"{name}: {problem}" for name, problem in results.items() if problem]:
        pytest.fail("\n".join(failed), pytrace=False)
