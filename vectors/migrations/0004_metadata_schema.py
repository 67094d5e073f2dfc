"""What a collection says of the metadata of its items; collections of before say nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vectors', '0003_relevance'),
    ]

    operations = [
        migrations.AddField(
            model_name='collection',
            name='metadata_schema',
            field=models.JSONField(blank=True, default=dict, editable=False, help_text='Types of metadata, see `vectors.metadata_schema`.'),
        ),
    ]
