"""The Celery application. Without Redis, tasks run at once in the process that asks for them."""

import os
from typing import Any, Final

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

# Whoever tells a worker something is mostly a request, and does not wait for a queue that stands still. A
# worker itself listens for longer at a time (CELERY_BROKER_TRANSPORT_OPTIONS).
TELLING: Final = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2}


class Afn(Celery):
    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        transport = TELLING | (options.pop("transport_options", None) or {})
        return super().connection_for_write(url, transport_options=transport, **options)


app = Afn("afn")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
