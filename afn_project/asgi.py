"""The ASGI application: MCP at `/mcp`, events at `/ws` and `/events`, and the same pages as by WSGI.

A process of its own, `granian --interface asgi afn_project.asgi:application`: pages are served faster by the
other.
"""

import os
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.signals import request_finished
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

pages = get_asgi_application()


def close_connections(**kwargs: Any) -> None:
    """Here a page has a thread of its own, which ends with it: what it would keep open, nobody could use."""
    connections.close_all()


request_finished.connect(close_connections)

from ops.health import watching  # noqa: E402
from ops.scheduling.local import follow  # noqa: E402 - its models are there once Django is set up

from .mcp_http import WithMcp  # noqa: E402
from .realtime_http import WithRealtime  # noqa: E402

application = WithMcp(WithRealtime(pages))
follow()
watching.start()
