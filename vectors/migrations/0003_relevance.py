"""Judgements of what answers a query, and the runs that were measured with them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vectors', '0002_create_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='EvaluationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=8)),
                ('source', models.CharField(choices=[('judgements', 'Judgements'), ('known-items', 'Known items')], help_text='Where the queries came from.', max_length=16)),
                ('settings', models.JSONField(default=dict, help_text='Fusion, keyword weights, strategy, k.')),
                ('index', models.JSONField(default=dict, help_text='Embedder, dimensions, rows, strategies used.')),
                ('n', models.PositiveIntegerField(verbose_name='queries')),
                ('metrics', models.JSONField(default=dict)),
                ('scores', models.JSONField(default=dict, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('collection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='evaluation_runs', to='vectors.collection')),
            ],
            options={
                'db_table': 'vector_evaluation_runs',
                'ordering': ('-pk',),
                'indexes': [models.Index(fields=['collection', 'mode', 'source'], name='vector_evaluation_runs_like')],
                'constraints': [models.CheckConstraint(condition=models.Q(('source__in', ['judgements', 'known-items'])), name='vector_evaluation_runs_source')],
            },
        ),
        migrations.CreateModel(
            name='Judgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('query', models.TextField()),
                ('query_hash', models.CharField(editable=False, max_length=64)),
                ('key', models.CharField(max_length=512)),
                ('grade', models.PositiveSmallIntegerField(help_text='0 is not relevant.')),
                ('source', models.CharField(choices=[('import', 'Import'), ('click', 'Click'), ('api', 'API')], max_length=8)),
                ('language', models.CharField(blank=True, choices=[('', 'None'), ('en', 'English and others'), ('ja', 'Japanese, Chinese, Korean')], default='', max_length=2)),
                ('created_by', models.CharField(blank=True, help_text='Who judged, where that is known.', max_length=254)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When this grade was given.')),
                ('collection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='vectors.collection')),
            ],
            options={
                'db_table': 'vector_judgements',
                'ordering': ('-pk',),
                'constraints': [models.UniqueConstraint(fields=('collection', 'query_hash', 'key'), name='vector_judgements_unique'), models.CheckConstraint(condition=models.Q(('grade__gte', 0), ('grade__lte', 30)), name='vector_judgements_grade'), models.CheckConstraint(condition=models.Q(('source__in', ['import', 'click', 'api'])), name='vector_judgements_source')],
            },
        ),
    ]
