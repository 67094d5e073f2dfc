from django.db import migrations

from prompts.migrations import _moments


def rebuild(apps, schema_editor):
    _moments.rebuild(apps, schema_editor, "prompts")


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0013_write_moments_to_the_microsecond"),
    ]

    operations = [migrations.RunPython(rebuild, migrations.RunPython.noop)]
