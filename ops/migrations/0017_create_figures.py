from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0016_add_more_alert_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="FigureMinute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=128)),
                ("at", models.DateTimeField()),
                ("values", models.JSONField()),
            ],
            options={
                "db_table": "figure_minutes",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("at", "source"), name="figure_minutes_once")],
            },
        ),
    ]
