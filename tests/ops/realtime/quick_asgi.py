"""The ASGI application with shorter times: signs of life, and how long a slow client is waited for."""

from afn_project.asgi import application
from ops.realtime import asgi, following

following.HEARTBEAT = 0.5
asgi.SEND_SECONDS = 1.0

__all__ = ["application"]
