import django.db.models.functions.datetime
import prompts.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0002_create_idempotency_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='OutboxEvent',
            fields=[
                ('id', models.CharField(db_default=prompts.models.base.RandomHex(), default=prompts.models.base.new_id, editable=False, max_length=32, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(max_length=64)),
                ('prompt_id', models.CharField(blank=True, help_text='It may be gone by now.', max_length=32)),
                ('prompt_name', models.CharField(blank=True, max_length=255)),
                ('actor_id', models.CharField(blank=True, max_length=32)),
                ('actor_name', models.CharField(blank=True, max_length=255)),
                ('data', models.JSONField(default=dict)),
                ('happened_at', models.DateTimeField()),
                ('relayed_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'outbox_events',
                'ordering': ['happened_at', 'id'],
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('relayed_at', None)), fields=['happened_at'], name='outbox_events_to_relay'), models.Index(fields=['happened_at'], name='outbox_events_happened')],
            },
        ),
    ]
