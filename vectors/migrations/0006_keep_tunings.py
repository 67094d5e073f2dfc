"""What `tune_vectors` measured stays, so that the console can draw it; of what was tuned before nothing is known.

The column may be empty: else Django would make the table anew, to which triggers of all collections refer.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vectors', '0005_embedding_migrations'),
    ]

    operations = [
        migrations.AddField(
            model_name='index',
            name='tuning',
            field=models.JSONField(blank=True, help_text='What the last tuning measured, and when.', null=True),
        ),
    ]
