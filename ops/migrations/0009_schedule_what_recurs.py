from django.db import migrations

from ops.scheduling import defaults

NAMES = ("Tell webhooks", "Look after jobs", "Catch up", "Clean up", "Empty the trash", "Shorten the audit log")


def add(apps, schema_editor):
    defaults.add(apps, schema_editor.connection.alias, *NAMES)


def remove(apps, schema_editor):
    defaults.remove(apps, schema_editor.connection.alias, *NAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0008_create_jobs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add, remove)]
