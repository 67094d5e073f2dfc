import django.db.models.deletion
import django.db.models.functions.datetime
import prompts.models.base
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0003_create_outbox'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.CharField(db_default=prompts.models.base.RandomHex(), default=prompts.models.base.new_id, editable=False, max_length=32, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('name', models.CharField(max_length=100, unique=True)),
                ('format', models.CharField(choices=[('generic', 'JSON, signed'), ('slack', 'Slack'), ('discord', 'Discord')], default='generic', max_length=16)),
                ('shown_url', models.CharField(editable=False, help_text='What may be shown of the address.', max_length=300)),
                ('sealed_url', models.TextField(editable=False)),
                ('sealed_secret', models.TextField(editable=False)),
                ('sealed_old_secret', models.TextField(blank=True, editable=False)),
                ('old_secret_until', models.DateTimeField(editable=False, null=True)),
                ('kinds', models.JSONField(blank=True, default=list, help_text='Kinds of events; none: all of them.')),
                ('folder', models.CharField(blank=True, help_text='Only prompts in it or below it.', max_length=255)),
                ('label', models.CharField(blank=True, help_text='Only what happens to this label.', max_length=36)),
                ('is_active', models.BooleanField(default=True, help_text='Switched off, it is told nothing.')),
                ('failing_since', models.DateTimeField(editable=False, null=True)),
                ('paused_at', models.DateTimeField(editable=False, null=True)),
                ('paused_reason', models.CharField(blank=True, editable=False, max_length=300)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'webhooks',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.CharField(db_default=prompts.models.base.RandomHex(), default=prompts.models.base.new_id, editable=False, max_length=32, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('replay', models.PositiveIntegerField(default=0)),
                ('status', models.CharField(choices=[('pending', 'waits'), ('sending', 'being sent'), ('delivered', 'delivered'), ('failed', 'given up')], default='pending', max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('response_status', models.PositiveSmallIntegerField(null=True)),
                ('response_excerpt', models.CharField(blank=True, max_length=500)),
                ('duration_ms', models.FloatField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='ops.outboxevent')),
                ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='ops.webhook')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'db_table': 'webhook_deliveries',
                'ordering': ['-created_at', '-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddConstraint(
            model_name='webhook',
            constraint=models.CheckConstraint(condition=models.Q(('format__in', ('generic', 'slack', 'discord'))), name='webhooks_format_is_known'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['status', 'next_attempt_at'], name='webhook_deliveries_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['webhook', '-created_at', '-id'], name='webhook_deliveries_newest'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('webhook', 'event', 'replay'), name='webhook_deliveries_one_an_event'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'sending', 'delivered', 'failed'])), name='webhook_deliveries_status_is_known'),
        ),
    ]
