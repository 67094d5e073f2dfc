from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0009_create_datasets_runs_and_splits"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="prompt",
            options={
                "ordering": ["-updated_at", "name"],
                "permissions": [("change_others_prompts", "May change prompts of others")],
            },
        ),
        migrations.AlterModelOptions(
            name="apikey",
            options={
                "ordering": ["name"],
                "permissions": [("manage_others_keys", "May manage API keys of others")],
                "verbose_name": "API key",
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_hash",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="Of the secret before the last rotation.",
                max_length=64,
                null=True,
                unique=True,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_until",
            field=models.DateTimeField(
                editable=False, help_text="Until when that secret works as well.", null=True
            ),
        ),
    ]
