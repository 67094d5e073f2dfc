import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0014_give_moments_to_the_microsecond"),
    ]

    operations = [
        migrations.AlterField(
            model_name="labelmove",
            name="prompt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="label_moves",
                to="prompts.prompt",
            ),
        ),
    ]
