from typing import Any

from django.apps import apps
from django.core.management.commands import flush
from django.db import connections
from django_celery_beat.models import PeriodicTask

from ops.alerts import defaults as alerts
from ops.audit import database
from ops.scheduling import defaults
from prompts import database as registry


class Command(flush.Command):
    help = "Empty all tables, the audit log among them, as Django's command of that name does."

    def handle(self, **options: Any) -> None:
        using = options["database"]
        database.drop(using)
        registry.drop(using)
        try:
            super().handle(**options)
            if PeriodicTask._meta.db_table in connections[using].introspection.table_names():
                defaults.add(apps, using)  # without them nobody would look after anything
                alerts.add(apps, using)
        finally:
            registry.create_where_migrated(using)
            database.create(using)
