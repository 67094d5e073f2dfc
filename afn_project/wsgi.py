"""The WSGI application: pages and REST."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

application = get_wsgi_application()

from ops.health import watching  # noqa: E402 - its models are there once Django is set up
from ops.scheduling.local import follow  # noqa: E402

follow()
watching.start()
