from django.db import migrations

from ops.alerts import defaults as rules
from ops.scheduling import defaults as schedules

SCHEDULE = "Watch for alerts"


def add(apps, schema_editor):
    rules.add(apps, schema_editor.connection.alias)
    schedules.add(apps, schema_editor.connection.alias, SCHEDULE)


def remove(apps, schema_editor):
    rules.remove(apps, schema_editor.connection.alias)
    schedules.remove(apps, schema_editor.connection.alias, SCHEDULE)


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0014_create_alerts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add, remove)]
