"""What `/health/database` says: the three parts that were asked for, as true or false."""

import logging
import math
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connections
from django_redis import get_redis_connection
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from prompts.indexing import COLLECTION
from vectors import store
from vectors.models import Collection

logger = logging.getLogger(__name__)
DEADLINE = 2.5  # seconds for all checks together
# Two vectors 60° apart: their cosine distance is 0.5.
EAST, HALF = "vector32('[1, 0]')", "vector32('[0.5, 0.8660254]')"
Health = dict[str, bool | float | str]


def check_health() -> Health:
    """`turso`, `redis` and `vector` as true, false or "disabled", and the time in Unix seconds."""
    checks: dict[str, Callable[[], bool]] = {"turso": can_read_database, "vector": can_compute_distances}
    if settings.REDIS_URL:
        checks["redis"] = can_ping_redis
    found = _run(checks)
    return {
        "turso": found["turso"],
        "redis": found.get("redis", "disabled"),
        "vector": found["vector"],
        "timestamp": time.time(),
    }


def is_healthy(health: Health) -> bool:
    return all(health[part] is not False for part in ("turso", "redis", "vector"))


def can_read_database() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        return bool(cursor.fetchone())


def can_compute_distances() -> bool:
    """The database computes a cosine distance rightly, and gives one row of the prompts' collection."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT vector_distance_cos({EAST}, {HALF})")
        (distance,) = cursor.fetchone()
    if not math.isclose(distance, 0.5, abs_tol=1e-5):
        return False
    for collection in Collection.objects.filter(name=COLLECTION):
        next(store.iterate_vectors(collection, batch=1), None)
    return True


def can_ping_redis() -> bool:
    """One new connection with the cache's settings and no second try: the answer must be of now."""
    pool = get_redis_connection("default").connection_pool
    options = {
        **pool.connection_kwargs,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        "retry": Retry(NoBackoff(), 0),
    }
    with Redis.from_pool(ConnectionPool(connection_class=pool.connection_class, **options)) as client:
        return bool(client.ping())


def _run(checks: dict[str, Callable[[], bool]]) -> dict[str, bool]:
    """Each check in a thread with connections of its own: what hangs (a name server…) hangs there."""
    found = dict.fromkeys(checks, False)

    def run(name: str) -> None:
        try:
            found[name] = checks[name]()
        except Exception:  # any failure at all is the answer "no"
            logger.warning("Health check %s failed", name, exc_info=True)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in checks]
    for thread in threads:
        thread.start()
    until = time.monotonic() + DEADLINE
    for name, thread in zip(checks, threads, strict=True):
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            logger.warning("Health check %s took longer than %s s", name, DEADLINE)
    return dict(found)
