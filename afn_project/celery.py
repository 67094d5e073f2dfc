"""The Celery application. Without Redis, tasks run at once in the process that asks for them."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")

app = Celery("afn")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
