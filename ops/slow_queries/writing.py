"""Writing what was noted, by a thread of its own, so that nobody waits for it.

It gathers for a second, by which most requests are over, and writes in one transaction. Where the database
takes nothing, because it is frozen or out of reach, the notes are gone, and the log says so.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.utils import timezone

from ops.background import is_in_memory

from .explaining import explain
from .models import MAX_SQL, MAX_TEXT, SlowQuery
from .normalising import fingerprint, normalise
from .noting import Note, quiet

logger = logging.getLogger(__name__)
MOST_A_MINUTE: Final = 60  # of a process
KEPT: Final = 10_000
KEPT_FOR: Final = timedelta(days=30)
_GATHER: Final = 1.0  # seconds
_AT_THE_END: Final = 1.0  # seconds that a process waits for its last notes


class Writer:
    """Where notes wait, and the thread that writes them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """As in a new process; a forked one has no threads, and its parent writes what waits there."""
        self._waiting: deque[Note] = deque(maxlen=2 * MOST_A_MINUTE)
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._minute, self._count, self._told = 0, 0, float("-inf")

    def add(self, note: Note) -> None:
        """Never waits. Of too many in a minute the rest is not kept."""
        minute = int(self._clock() // 60)
        if minute != self._minute:
            if self._count > MOST_A_MINUTE:
                logger.warning("%d slow queries of a minute were not kept", self._count - MOST_A_MINUTE)
            self._minute, self._count = minute, 0
        self._count += 1
        if self._count > MOST_A_MINUTE:
            return
        self._waiting.append(note)
        if is_in_memory():  # which is that of its connection: a thread would see another one
            return
        self._wake.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="slow-queries", daemon=True)
            self._thread.start()

    def flush(self) -> int:
        """Write what waits now; how many that were."""
        notes: list[Note] = []
        while self._waiting:
            notes.append(self._waiting.popleft())
        try:
            with quiet():
                return write(notes)
        except DatabaseError as error:
            if "locked" in str(error):  # by what is noted here, maybe: it is over some time
                self._waiting.extendleft(reversed(notes))
                self._wake.set()
                return 0
            if self._clock() - self._told >= 60.0:
                self._told = self._clock()
                logger.warning("Slow queries are not kept: %s", error)
            return 0

    def end(self) -> None:
        """Let the thread write what waits, for a moment."""
        self._ending.set()
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_AT_THE_END)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait()
            self._wake.clear()
            self._ending.wait(_GATHER)
            try:
                self.flush()
            except Exception:
                logger.exception("Slow queries could not be written")
            finally:
                connections.close_all()


def write(notes: list[Note]) -> int:
    """Add them to the table and shorten it. Raises ``DatabaseError``."""
    if not notes:
        return 0
    rows = [_row(note) for note in notes]
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        SlowQuery.objects.using(DEFAULT_DB_ALIAS).bulk_create(rows)
        prune()
    return len(rows)


def prune(now: datetime | None = None) -> int:
    """Delete all but the newest 10,000 of the last 30 days; how many that were."""
    rows = SlowQuery.objects.using(DEFAULT_DB_ALIAS)
    newest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    by_number, _ = rows.filter(pk__lte=newest - KEPT).delete()
    by_age, _ = rows.filter(created_at__lt=(now or timezone.now()) - KEPT_FOR).delete()
    return by_number + by_age


def _row(note: Note) -> SlowQuery:
    sql = normalise(note.sql)
    return SlowQuery(
        created_at=note.moment,
        fingerprint=fingerprint(sql),
        sql=sql[:MAX_SQL],
        seconds=note.seconds,
        rows=note.rows,
        plan=explain(note, sql),
        place=note.place[:MAX_TEXT],
        caller=note.caller[:MAX_TEXT],
        request_id=note.request_id[:64],
        database=note.database[:100],
        error=note.error[:64],
    )


writer: Final = Writer()
atexit.register(writer.end)
os.register_at_fork(after_in_child=writer.reset)
