from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0001_add_environment_permissions'),
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(help_text='Primary key of the user who sent it.', max_length=64)),
                ('key', models.CharField(max_length=255)),
                ('request_hash', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(db_index=True)),
                ('claimed_at', models.DateTimeField()),
                ('status', models.PositiveSmallIntegerField(help_text='Empty: it is being carried out.', null=True)),
                ('content_type', models.CharField(blank=True, max_length=100)),
                ('body', models.BinaryField(default=bytes)),
            ],
            options={
                'db_table': 'idempotency_keys',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('owner', 'key'), name='idempotency_keys_owner_key')],
            },
        ),
    ]
