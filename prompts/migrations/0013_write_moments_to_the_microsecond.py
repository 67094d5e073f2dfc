from django.db import migrations

from prompts.migrations import _moments


def lengthen(apps, schema_editor):
    _moments.lengthen(apps, schema_editor, "prompts")


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0012_keep_purged_numbers"),
    ]

    operations = [migrations.RunPython(lengthen, migrations.RunPython.noop)]
