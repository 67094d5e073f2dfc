"""The change of a collection's embedding model, as it stands."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vectors', '0004_metadata_schema'),
    ]

    operations = [
        migrations.CreateModel(
            name='EmbeddingMigration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_switched', models.BooleanField(default=False)),
                ('estimate', models.JSONField(default=dict, editable=False)),
                ('verdict', models.JSONField(default=dict, editable=False, help_text='Empty: there is none yet.')),
                ('filler', models.CharField(blank=True, editable=False, help_text='The process that fills the spare space.', max_length=300)),
                ('filler_at', models.DateTimeField(editable=False, help_text='When it last gave a sign.', null=True)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('switched_at', models.DateTimeField(editable=False, null=True)),
                ('live', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='migration', to='vectors.collection')),
                ('spare', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='migrated_from', to='vectors.collection')),
            ],
            options={
                'db_table': 'vector_embedding_migrations',
            },
        ),
    ]
