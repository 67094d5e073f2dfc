import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import prompts.models.base


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0010_add_rotation_and_ownership"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginLock",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("who", models.CharField(editable=False, max_length=64)),
                ("address", models.CharField(max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failed_at", models.DateTimeField()),
                ("locked_until", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="login_locks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "login_locks",
                "ordering": ["-failed_at"],
                "default_permissions": ("view", "delete"),
                "indexes": [models.Index(fields=["failed_at"], name="login_locks_failed_at")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("who", "address"), name="login_locks_who_is_unique_by_address"
                    )
                ],
            },
        ),
    ]
