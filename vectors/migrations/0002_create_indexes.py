"""Indexes of codes and lists. Collections of before get their tables; writers fill these as they write."""

import django.db.models.deletion
from django.db import migrations, models


TABLES = {
    "blocks": "version INTEGER NOT NULL, last_id INTEGER NOT NULL, codes BLOB NOT NULL, "
    "PRIMARY KEY (version, last_id)",
    "centroids": "version INTEGER NOT NULL, first INTEGER NOT NULL, vectors BLOB NOT NULL, "
    "PRIMARY KEY (version, first)",
    "lists": "version INTEGER NOT NULL, list INTEGER NOT NULL, part INTEGER NOT NULL, codes BLOB NOT NULL, "
    "PRIMARY KEY (version, list, part)",
}


TRIGGER = (
    "CREATE TRIGGER vec_{0}_deleted AFTER DELETE ON vec_{0}_items "
    "BEGIN UPDATE vector_indexes SET deleted = deleted + 1 WHERE collection_id = {0}; END"
)


def create_tables(apps, schema_editor):
    collections = apps.get_model("vectors", "Collection").objects.using(schema_editor.connection.alias)
    for pk in collections.values_list("pk", flat=True):
        for kind, columns in TABLES.items():
            schema_editor.execute(f"DROP TABLE IF EXISTS vec_{int(pk)}_{kind}")
            schema_editor.execute(f"CREATE TABLE vec_{int(pk)}_{kind} ({columns})")
        schema_editor.execute(f"DROP TRIGGER IF EXISTS vec_{int(pk)}_deleted")
        schema_editor.execute(TRIGGER.format(int(pk)))
    collections.update(schema_version=2)


def drop_tables(apps, schema_editor):
    collections = apps.get_model("vectors", "Collection").objects.using(schema_editor.connection.alias)
    for pk in collections.values_list("pk", flat=True):
        for kind in TABLES:
            schema_editor.execute(f"DROP TABLE vec_{int(pk)}_{kind}")
        schema_editor.execute(f"DROP TRIGGER vec_{int(pk)}_deleted")
    collections.update(schema_version=1)


class Migration(migrations.Migration):

    dependencies = [
        ('vectors', '0001_create_collections'),
    ]

    operations = [
        migrations.CreateModel(
            name='Index',
            fields=[
                ('collection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='index', serialize=False, to='vectors.collection')),
                ('version', models.PositiveIntegerField(default=0)),
                ('last_id', models.PositiveBigIntegerField(default=0)),
                ('rows', models.PositiveBigIntegerField(default=0, help_text='Codes in the blocks, of deleted rows too.')),
                ('deleted', models.PositiveBigIntegerField(default=0, help_text='Items deleted since, by a trigger.')),
                ('middle', models.BinaryField(default=bytes)),
                ('lists', models.PositiveIntegerField(default=0, help_text='How many inverted lists there are.')),
                ('lists_last_id', models.PositiveBigIntegerField(default=0)),
                ('lists_rows', models.PositiveBigIntegerField(default=0, help_text='Rows that the lists were made of.')),
                ('settings', models.JSONField(blank=True, default=dict, help_text='Probes and candidates, as measured.')),
                ('is_diskann', models.BooleanField(default=False, help_text='Is there a built-in vector index?')),
                ('building', models.PositiveIntegerField(default=0, help_text='The version of a build that goes on.')),
                ('building_at', models.DateTimeField(blank=True, help_text='When that build last gave a sign.', null=True)),
                ('built_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'indexes',
                'db_table': 'vector_indexes',
            },
        ),
        migrations.RemoveConstraint(
            model_name='collection',
            name='vector_collections_strategy',
        ),
        migrations.AddField(
            model_name='collection',
            name='keyword_weight_cjk',
            field=models.FloatField(blank=True, help_text='The same for queries in Japanese, Chinese or Korean. Empty: as for all others.', null=True),
        ),
        migrations.AlterField(
            model_name='collection',
            name='schema_version',
            field=models.PositiveSmallIntegerField(default=2, editable=False),
        ),
        migrations.AlterField(
            model_name='collection',
            name='strategy',
            field=models.CharField(choices=[('auto', 'Automatic'), ('exact', 'Exact'), ('quantised', 'Quantised'), ('ivf', 'Inverted lists'), ('diskann', 'DiskANN')], default='auto', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='collection',
            constraint=models.CheckConstraint(condition=models.Q(('strategy__in', ['auto', 'exact', 'quantised', 'ivf', 'diskann'])), name='vector_collections_strategy'),
        ),
        migrations.AddConstraint(
            model_name='collection',
            constraint=models.CheckConstraint(condition=models.Q(('keyword_weight_cjk__isnull', True), models.Q(('keyword_weight_cjk__gte', 0), ('keyword_weight_cjk__lte', 1)), _connector='OR'), name='vector_collections_keyword_weight_cjk'),
        ),
        migrations.RunPython(create_tables, drop_tables),
    ]
