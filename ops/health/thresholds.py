"""From where on a figure is not well any more. Shown beside the figures, and used by rules and alerts.

The first five are those of the document that AFN was asked for in.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Threshold:
    """`below`: it is values under the limit that are not well."""

    limit: float
    unit: str
    meaning: str
    below: bool = False

    def is_crossed(self, value: float) -> bool:
        return value < self.limit if self.below else value > self.limit


CPU: Final = Threshold(80, "%", _("processors in use"))
MEMORY: Final = Threshold(85, "%", _("memory in use"))
HIT_RATE: Final = Threshold(0.7, "", _("share of reads that Redis could answer"), below=True)
SLOW_QUERY: Final = Threshold(1.0, "s", _("time of a statement"))
CONNECTIONS: Final = Threshold(100, "", _("connections to a database"))

REDIS_SECONDS: Final = Threshold(0.1, "s", _("time of Redis's answer"))
REDIS_MEMORY: Final = Threshold(0.9, "", _("share of Redis's memory in use"))
REPLICA_LAG: Final = Threshold(30, "s", _("by how much the copy is behind"))
QUEUE_AGE: Final = Threshold(120, "s", _("how long the oldest job that is due has waited"))
WORKER_SILENCE: Final = Threshold(8, "s", _("since a worker gave a sign"))
DISK_FREE: Final = Threshold(0.1, "", _("share of a disk that is free"), below=True)
DISK_FREE_BYTES: Final = Threshold(200_000_000, "bytes", _("bytes of a disk that are free"), below=True)
BACKUP_AGE: Final = Threshold(26 * 3_600, "s", _("age of the newest backup"))
PROVED_AGE: Final = Threshold(8 * 86_400, "s", _("since a backup was last proved"))
CERTIFICATE_DAYS: Final = Threshold(14, "d", _("days until a certificate ends"), below=True)
RECALL_DROP: Final = Threshold(0.95, "", _("recall, as a share of the best within a week"), below=True)

# By the part that it decides about, for pages and documents.
OF_PARTS: Final = {
    "replica": REPLICA_LAG,
    "redis": REDIS_SECONDS,
    "broker": REDIS_SECONDS,
    "workers": WORKER_SILENCE,
    "jobs": QUEUE_AGE,
    "disk": DISK_FREE,
    "backups": BACKUP_AGE,
}
