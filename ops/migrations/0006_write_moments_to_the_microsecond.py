from django.db import migrations

from prompts.migrations import _moments


def lengthen(apps, schema_editor):
    _moments.lengthen(apps, schema_editor, "ops")


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0005_create_audit_log"),
    ]

    operations = [migrations.RunPython(lengthen, migrations.RunPython.noop)]
