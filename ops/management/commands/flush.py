from typing import Any

from django.core.management.commands import flush

from ops.audit import database
from prompts import database as registry


class Command(flush.Command):
    help = "Empty all tables, the audit log among them, as Django's command of that name does."

    def handle(self, **options: Any) -> None:
        using = options["database"]
        database.drop(using)
        registry.drop(using)
        try:
            super().handle(**options)
        finally:
            registry.create_where_migrated(using)
            database.create(using)
