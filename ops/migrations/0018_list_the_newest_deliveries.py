from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0017_create_figures"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="alertnotification",
            index=models.Index(fields=["-created_at", "-id"], name="alert_notifications_all"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["-created_at", "-id"], name="deliveries_newest"),
        ),
    ]
