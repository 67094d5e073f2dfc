from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0011_create_login_locks"),
    ]

    operations = [
        migrations.AddField(
            model_name="prompt",
            name="purged_version",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The highest number of a version that was purged.",
            ),
        ),
    ]
