"""The Celery application. Without Redis, tasks run at once in the process that asks for them."""

import os
from logging.config import dictConfig
from typing import Any, Final

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

# Whoever tells a worker something is mostly a request, and does not wait for a queue that stands still. A
# worker itself listens for longer at a time (CELERY_BROKER_TRANSPORT_OPTIONS).
# And it gives no task back that a dead worker had taken (`ack_emulation`): that is for workers, which may.
TELLING: Final = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2, "ack_emulation": False}


class Afn(Celery):
    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        transport = TELLING | (options.pop("transport_options", None) or {})
        return super().connection_for_write(url, transport_options=transport, **options)


app = Afn("afn")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()


@setup_logging.connect(dispatch_uid="afn")
def log_as_everywhere(**_: Any) -> None:
    """Celery would put its own handlers in the place of ours: other lines, and none that masks secrets."""
    dictConfig(settings.LOGGING)
