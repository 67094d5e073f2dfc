from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0004_create_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditPruning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.DateTimeField()),
            ],
            options={
                'db_table': 'audit_pruning',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('action', models.CharField(help_text='What was done, such as label.moved.', max_length=64)),
                ('object_type', models.CharField(blank=True, max_length=64)),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('object_name', models.CharField(blank=True, help_text='As it was then.', max_length=255)),
                ('actor_id', models.CharField(blank=True, max_length=32)),
                ('actor_name', models.CharField(blank=True, help_text='As it was then.', max_length=255)),
                ('source', models.CharField(choices=[('api', 'API'), ('console', 'Console'), ('command', 'Command'), ('langfuse', "Langfuse's API"), ('mcp', 'MCP'), ('worker', 'Worker')], max_length=16)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('changes', models.JSONField(default=dict, help_text='By field: short values as they were and are.')),
            ],
            options={
                'verbose_name_plural': 'audit log',
                'db_table': 'audit_entries',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['object_type', 'object_id', '-id'], name='audit_entries_of_an_object'), models.Index(fields=['actor_id', '-id'], name='audit_entries_of_an_actor'), models.Index(fields=['action', '-id'], name='audit_entries_of_an_action'), models.Index(fields=['created_at'], name='audit_entries_created')],
            },
        ),
    ]
