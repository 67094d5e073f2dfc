from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0015_let_the_log_of_labels_follow"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="evaluation",
            index=models.Index(fields=["-created_at", "-id"], name="evaluations_newest"),
        ),
        migrations.AddIndex(
            model_name="promptversion",
            index=models.Index(fields=["-created_at", "-id"], name="prompt_versions_newest"),
        ),
    ]
