from django.db import migrations

from ops.alerts import defaults

NAMES = ("The newest backup in the bucket is old", "The embedder fails", "A certificate ends soon")


def add(apps, schema_editor):
    defaults.add(apps, schema_editor.connection.alias, *NAMES)


def remove(apps, schema_editor):
    defaults.remove(apps, schema_editor.connection.alias, *NAMES)


class Migration(migrations.Migration):
    dependencies = [("ops", "0015_add_alert_rules")]

    operations = [migrations.RunPython(add, remove)]
