"""A Redis with the files that `init_redis_config` writes, on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.redis.config import PASSWORDS, Plan, Written, write
from tests.servers import Server, free_port, require, running

# Nobody of AFN's: it looks at the server from outside of their rights.
OBSERVER = "user observer on nopass ~* &* +@all\n"


@dataclass
class Secured:
    """The server, its files, and addresses with passwords for each user."""

    server: Server
    written: Written
    passwords: dict[str, str]

    def url(self, user: str) -> str:
        address = self.written.url.replace("//app@", f"//{user}@")
        return address.replace(f"//{user}@", f"//{user}:{self.passwords[user]}@")

    @contextmanager
    def client(self, user: str, **options: Any) -> Iterator[Redis]:
        once = Retry(NoBackoff(), 0)
        with Redis.from_url(self.url(user), decode_responses=True, retry=once, **options) as redis:
            yield redis


@contextmanager
def secured_redis(folder: Path, *, tls: bool = False) -> Iterator[Secured]:
    program = require("redis-server")
    plan = Plan(folder / "redis", port=free_port(), makes_tls=tls)
    written = write(plan)
    values = dotenv_values(written.connections)
    passwords = {user: str(values[name]) for user, name in PASSWORDS.items()} | {"observer": ""}
    with written.users.open("a") as users:
        users.write(OBSERVER)
    server = Server([program, str(written.config)], "Ready to accept connections", plan.port, written.url)
    with running(server):
        yield Secured(server, written, passwords)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_redis(tmp_path_factory.mktemp("secured")) as redis:
        yield redis
