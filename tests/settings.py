"""The project's settings with a database in memory and without a deployment's environment."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "0" * 50)
_PLACES = ("TURSO_DATABASE_URL", "TURSO_REPLICA_URL", "TURSO_SYNC_URL", "AFN_ENVIRONMENT", "REDIS_URL")
for _name in (*_PLACES, "CELERY_BROKER_URL", "AFN_SESSIONS", "TURSO_AUTH_TOKEN", "AFN_EMBEDDER"):
    os.environ.pop(_name, None)

from afn_project import env as _env  # noqa: E402

_env.FILE = None  # a developer's .env is for running AFN

from afn_project.settings import *  # noqa: E402, F403
from afn_project.settings import DATABASES  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; nothing else is tested with it
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# No thread does what recurs beside a test that imports a server's application.
AFN_SCHEDULE = False
# All tests come from one address, and many of them send wrong keys.
AFN_WRONG_KEY_LIMIT = None
# Each test client starts a server of its own: it looks for static files when asked, not at its start.
WHITENOISE_AUTOREFRESH = True
