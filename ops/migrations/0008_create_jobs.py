import django.db.models.deletion
import django.db.models.functions.datetime
import prompts.models.base
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0007_give_moments_to_the_microsecond'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SchedulerLease',
            fields=[
                ('name', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('holder', models.CharField(max_length=128)),
                ('until', models.DateTimeField()),
            ],
            options={
                'db_table': 'scheduler_leases',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.CharField(db_default=prompts.models.base.RandomHex(), default=prompts.models.base.new_id, editable=False, max_length=32, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(editable=False, max_length=64)),
                ('arguments', models.JSONField(default=dict, editable=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', editable=False, max_length=16)),
                ('key', models.CharField(blank=True, editable=False, help_text='Of those that are open there is one of a key.', max_length=255)),
                ('slot', models.CharField(blank=True, editable=False, help_text='The schedule and moment that started it.', max_length=255)),
                ('done', models.PositiveBigIntegerField(default=0, editable=False)),
                ('total', models.PositiveBigIntegerField(editable=False, null=True)),
                ('message', models.CharField(blank=True, editable=False, max_length=200)),
                ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('max_attempts', models.PositiveIntegerField(default=1, editable=False)),
                ('cause', models.CharField(blank=True, editable=False, help_text='Why the last attempt failed.', max_length=300)),
                ('result', models.JSONField(editable=False, null=True)),
                ('actor_name', models.CharField(blank=True, editable=False, max_length=255)),
                ('not_before', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(editable=False, help_text='The last attempt.', null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('queued_at', models.DateTimeField(editable=False, help_text='When a worker was told of it.', null=True)),
                ('holder', models.CharField(blank=True, editable=False, max_length=128)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('cancel_requested_at', models.DateTimeField(editable=False, null=True)),
                ('actor', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'jobs',
                'ordering': ['-created_at', '-id'],
                'default_permissions': ('view', 'change'),
                'indexes': [models.Index(fields=['-created_at', '-id'], name='jobs_newest'), models.Index(fields=['state', '-created_at'], name='jobs_of_a_state'), models.Index(fields=['kind', 'state', '-finished_at'], name='jobs_of_a_kind'), models.Index(condition=models.Q(('state', 'waiting')), fields=['not_before'], name='jobs_due'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='jobs_leased'), models.Index(fields=['finished_at'], name='jobs_finished')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'succeeded', 'failed', 'cancelled'])), name='jobs_state_is_known'), models.UniqueConstraint(condition=models.Q(('state__in', ('waiting', 'running')), models.Q(('key', ''), _negated=True)), fields=('key',), name='jobs_key_of_open_ones'), models.UniqueConstraint(condition=models.Q(('slot', ''), _negated=True), fields=('slot',), name='jobs_slot_is_started_once')],
            },
        ),
    ]
