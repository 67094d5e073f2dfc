"""The ASGI application: the same pages, for servers of that kind."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

application = get_asgi_application()
