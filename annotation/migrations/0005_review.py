from django.db import migrations, models

import mmproject.ids


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_work")]

    operations = [
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["decided_by", "-decided_at"], name="dispute_reviewer"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["webhook_id", "state", "next_try_at"], name="delivery_of_webhook"),
        ),
        migrations.CreateModel(
            name='TableImport',
            fields=[
                ('id', models.CharField(default=mmproject.ids.new_id, max_length=64, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('brands', 'brands'), ('products', 'products'), ('labels', 'labels')], max_length=10, verbose_name='what')),
                ('file_name', models.CharField(max_length=255, verbose_name='file')),
                ('stored_name', models.CharField(blank=True, max_length=255)),
                ('format', models.CharField(choices=[('auto', 'by its content'), ('csv', 'CSV'), ('jsonl', 'JSONL'), ('xlsx', 'XLSX'), ('muge', 'MUGE')], default='auto', max_length=10, verbose_name='format')),
                ('dry_run', models.BooleanField(default=True, verbose_name='dry run')),
                ('strict', models.BooleanField(default=False, verbose_name='nothing if a row is wrong')),
                ('state', models.CharField(choices=[('pending', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='pending', max_length=10, verbose_name='state')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='rows')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('created', models.PositiveIntegerField(default=0, verbose_name='new')),
                ('updated', models.PositiveIntegerField(default=0, verbose_name='changed')),
                ('unchanged', models.PositiveIntegerField(default=0, verbose_name='unchanged')),
                ('failed', models.PositiveIntegerField(default=0, verbose_name='left out')),
                ('errors', models.JSONField(default=list)),
                ('changes', models.JSONField(default=list)),
                ('warnings', models.JSONField(default=list)),
                ('error', models.CharField(blank=True, max_length=500, verbose_name='error')),
                ('requested_by_id', models.IntegerField()),
                ('requested_by', models.CharField(max_length=150, verbose_name='requested by')),
                ('language', models.CharField(blank=True, max_length=10, verbose_name='language')),
                ('created_at', models.DateTimeField(verbose_name='asked for')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('lease_token', models.CharField(blank=True, max_length=64)),
                ('leased_until', models.DateTimeField(verbose_name='leased until')),
            ],
            options={
                'verbose_name': 'import of a table',
                'verbose_name_plural': 'imports of tables',
                'indexes': [models.Index(fields=['state', 'leased_until'], name='table_import_lease'), models.Index(fields=['-created_at'], name='table_import_created')],
            },
        ),
    ]
