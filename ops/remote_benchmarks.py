"""What a libSQL server costs compared with a local file, in one run on one machine."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from prompts.models import User

_READS, _ROUNDS, _ROWS = 500, 5, 1_000
_QUERY = "SELECT id, username, email FROM users WHERE id = ?"


def measure_remote(data: Path) -> dict[str, float]:
    """Reads by primary key and a `bulk_create` on the server that TURSO_DATABASE_URL names, here and there.

    `data` is not used. The local file stands beside the benchmark's own.
    """
    file = Path(settings.AFN_DATABASE_FILE).with_name("local.db")
    with _alias("local", {**connections.settings["default"], "NAME": file, "OPTIONS": {}}):
        with connections["local"].schema_editor() as editor:
            editor.create_model(User)
        keys = [f"{number:032x}" for number in range(_READS)]
        for alias in ("default", "local"):
            people = [User(pk=key, username=f"r{key}", email=f"{key}@remote") for key in keys]
            User.objects.using(alias).bulk_create(people)
        trips = _round_trips_of_bulk_create()
        times: dict[str, list[float]] = {"default": [], "local": [], "binding": [], "ours": []}
        for _ in range(_ROUNDS):
            for alias in ("default", "local"):
                times[alias] += _times(keys, partial(_get, alias))
            times["binding"] += _times(keys, _by_binding())
            times["ours"] += _times(keys, _by_engine())
        User.objects.filter(email__endswith="@remote").delete()
    median = {name: statistics.median(values) for name, values in times.items()}
    return {
        "remote_pk_get_ratio": median["default"] / median["local"],
        "binding_remote_ratio": median["binding"] / median["ours"],
        "remote_bulk_create_trips": trips,
    }


def _get(alias: str, key: str) -> User:
    return User.objects.using(alias).get(pk=key)


def _round_trips_of_bulk_create() -> float:
    people = [User(username=f"b{number}", email=f"b{number}@remote") for number in range(_ROWS)]
    driver: Any = connections["default"].connection.driver
    before = driver.round_trips
    User.objects.bulk_create(people)
    return float(driver.round_trips - before)


def _by_binding() -> Callable[[str], Any]:
    """The official binding in its remote mode."""
    import libsql

    connection = libsql.connect(connections["default"].settings_dict["NAME"], auth_token="")
    return lambda key: connection.execute(_QUERY, (key,)).fetchall()


def _by_engine() -> Callable[[str], Any]:
    """The engine at the same level: PEP 249, without the ORM."""
    connection = connections["default"].connection
    return lambda key: connection.execute(_QUERY, (key,)).fetchall()


def _times(keys: list[str], read: Callable[[str], Any]) -> list[float]:
    found = []
    for key in keys:
        started = time.perf_counter()
        read(key)
        found.append(time.perf_counter() - started)
    return found


@contextmanager
def _alias(name: str, entry: dict[str, Any]) -> Iterator[None]:
    connections.settings[name] = entry
    try:
        yield
    finally:
        connections[name].close()
        del connections[name], connections.settings[name]
