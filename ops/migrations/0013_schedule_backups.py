from django.db import migrations

from ops.scheduling import defaults

NAMES = ("Back up", "Prove the newest backup", "Remove old backups")


def add(apps, schema_editor):
    defaults.add(apps, schema_editor.connection.alias, *NAMES)


def remove(apps, schema_editor):
    defaults.remove(apps, schema_editor.connection.alias, *NAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0012_create_health"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(add, remove)]
