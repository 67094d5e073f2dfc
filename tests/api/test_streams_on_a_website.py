"""Lines in and out of AFN's own web server, more of them than it takes as a body; claims of processes."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

from tests.processes import MANAGE, clean_environment, manage, website

MAKE = """
from prompts.models import ApiKey, User
from vectors import store
user = User.objects.create_superuser("root", "root@example.com", "x")
store.create_collection("own", embedder="", dimensions=64)
print(ApiKey.issue(user, "tests", ["read", "write"])[1])
"""
CLAIM = """
from ops import idempotency
try:
    print(type(idempotency.claim("1", "k", "hash")).__name__)
except idempotency.InProgress:
    print("InProgress")
"""


def test_streams_and_claims(tmp_path: Path) -> None:
    place = {"AFN_DATABASE_FILE": str(tmp_path / "afn.db"), "AFN_MAX_BODY_MB": "0.1"}
    assert manage("migrate", **place).returncode == 0
    made = manage("shell", "-v", "0", "-c", MAKE, **place)
    assert made.returncode == 0, made.stderr
    headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    rows = [{"key": f"k{at}", "text": f"text {at}", "vector": [at + 1.0] * 64} for at in range(3_000)]
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    assert len(body) > 1_000_000
    with website(tmp_path / "log", ALLOWED_HOSTS="127.0.0.1", **place) as url:
        items = f"{url}/api/v1/vectors/collections/own"
        request = Request(f"{items}/import", body, headers | {"Content-Type": "application/x-ndjson"})
        assert json.load(urlopen(request))["inserted"] == 3_000
        with urlopen(Request(f"{items}/export?vectors=true", headers=headers)) as answer:
            found = [json.loads(line) for line in answer]
    assert [(row["key"], row["text"], row["vector"]) for row in found] == [
        tuple(row.values()) for row in rows
    ]

    def claim(_: int) -> str:
        command = [*MANAGE, "shell", "-v", "0", "-c", CLAIM]
        environment = clean_environment(SECRET_KEY="k" * 50, **place)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == ["Claim", *["InProgress"] * 3]
