from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0010_create_backup_drills"),
    ]

    operations = [
        migrations.CreateModel(
            name="SlowQuery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="The same for the same statement, whatever its values.", max_length=16
                    ),
                ),
                ("sql", models.TextField(help_text="With ? in place of values.", verbose_name="SQL")),
                ("seconds", models.FloatField()),
                (
                    "rows",
                    models.BigIntegerField(help_text="Read or changed, where that is known.", null=True),
                ),
                (
                    "plan",
                    models.TextField(
                        blank=True, help_text="EXPLAIN QUERY PLAN with NULL in place of values."
                    ),
                ),
                (
                    "place",
                    models.CharField(blank=True, help_text="The request, task or command.", max_length=200),
                ),
                (
                    "caller",
                    models.CharField(blank=True, help_text="The line of AFN that asked.", max_length=200),
                ),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "database",
                    models.CharField(
                        help_text="Alias; environment:… is another environment.", max_length=100
                    ),
                ),
                (
                    "error",
                    models.CharField(blank=True, help_text="Kind of error, where it failed.", max_length=64),
                ),
            ],
            options={
                "db_table": "slow_queries",
                "verbose_name_plural": "slow queries",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["fingerprint", "-id"], name="slow_queries_of_a_statement")
                ],
            },
        ),
    ]
