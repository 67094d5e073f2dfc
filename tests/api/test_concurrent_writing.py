"""Many clients write one prompt at the same time, over HTTP and with several workers: nobody gets an error of
the server, and each number is given once.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.processes import asgi_site, manage
from tests.servers import redis_server

MAKE = """
from prompts.models import ApiKey, User
user = User.objects.create_superuser("root", "root@example.com", "x")
print(ApiKey.issue(user, "tests", ["read", "write"])[1])
"""
CLIENTS, EACH = 8, 4


def send(url: str, headers: dict[str, str], body: object) -> tuple[int, dict[str, object]]:
    request = Request(url, json.dumps(body).encode(), headers | {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)


def test_many_clients_write_one_prompt(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        place = {
            "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
            "REDIS_URL": redis.url,
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        assert manage("migrate", **place).returncode == 0
        made = manage("shell", "-v", "0", "-c", MAKE, **place)
        assert made.returncode == 0, made.stderr
        headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
        with asgi_site(tmp_path / "log", workers=2, **place) as site, ThreadPoolExecutor(CLIENTS) as pool:
            prompts = f"{site}/api/v1/prompts"
            new = [
                {"name": "a", "title": f"T{number}", "content": f"0 {number}"} for number in range(CLIENTS)
            ]
            created = Counter(status for status, _ in pool.map(partial(send, prompts, headers), new))
            assert created == {201: 1, 409: CLIENTS - 1}
            add = partial(send, f"{prompts}/a/versions", headers)
            contents = [{"content": f"text {number}"} for number in range(CLIENTS * EACH)]
            answers = list(pool.map(add, contents))
            assert Counter(status for status, _ in answers) == {201: len(contents)}
            assert sorted(body["version"] for _, body in answers) == list(range(2, len(contents) + 2))
            based = [{"content": f"based {number}", "base_version": 33} for number in range(CLIENTS)]
            raced = Counter(
                status
                for status, _ in pool.map(lambda one: send(f"{prompts}/a/versions", headers, one), based)
            )
            assert raced == {201: 1, 409: CLIENTS - 1}
            with urlopen(Request(f"{prompts}/a/versions?limit=1", headers=headers)) as response:
                assert json.load(response)["total"] == len(contents) + 2
