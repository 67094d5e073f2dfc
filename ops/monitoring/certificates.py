"""For how long the certificates are good of the servers that AFN connects to by TLS: looked up once an hour,
in a thread, for such a server may not answer.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from ops.health.states import Sample, sample

logger = logging.getLogger(__name__)
NAME: Final = "certificate_days_left"
_EVERY: Final = 3_600.0
_DAY: Final = 86_400


class Certificates:
    """Of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._known: list[Sample] = []

    def known(self) -> list[Sample]:
        """As they were looked up last: none before the first time, none of a server that did not answer."""
        with self._lock:
            if time.monotonic() - self._at >= _EVERY:
                self._at = time.monotonic()
                threading.Thread(target=self.look, name="certificates", daemon=True).start()
            return list(self._known)

    def look(self) -> None:
        # Later than this module: what is examined knows what is measured.
        from ops.doctor.areas.certificates import end_of, endpoints
        from ops.doctor.examining import Case

        found = []
        for endpoint in endpoints(Case(connections.databases[DEFAULT_DB_ALIAS])):
            try:
                left = end_of(endpoint) - timezone.now()
            except OSError as error:
                logger.info("No certificate of %s could be read: %s", endpoint.name, type(error).__name__)
                continue
            found.append(sample(NAME, left.total_seconds() / _DAY, name=endpoint.name))
        self._known = found


certificates: Final = Certificates()
