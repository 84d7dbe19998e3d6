from django.db import migrations, models

KINDS = [('pretrain', 'pre-training'), ('finetune', 'fine-tuning')]
STATES = [
    ('pending', 'waiting'),
    ('running', 'running'),
    ('done', 'done'),
    ('failed', 'failed'),
    ('cancelled', 'cancelled'),
]


class Migration(migrations.Migration):

    dependencies = [
        ('evaluation', '0002_opinions'),
    ]

    operations = [
        migrations.CreateModel(
            name='TrainingJournal',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('curves', models.JSONField(default=dict)),
                ('log', models.JSONField(default=list)),
                ('manifest', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name': 'training journal',
                'verbose_name_plural': 'training journals',
            },
        ),
        migrations.CreateModel(
            name='WordAlignment',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('model_id', models.CharField(max_length=64)),
                ('about_id', models.CharField(max_length=64)),
                ('title', models.CharField(max_length=500, verbose_name='title')),
                ('image_sha256', models.CharField(max_length=64)),
                ('state', models.CharField(choices=STATES, default='pending', max_length=10, verbose_name='state')),
                ('error', models.CharField(blank=True, max_length=500, verbose_name='error')),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('words', models.JSONField(default=list)),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
            ],
            options={
                'verbose_name': 'word alignment',
                'verbose_name_plural': 'word alignments',
                'indexes': [models.Index(fields=['state', 'asked_at'], name='alignment_state_asked')],
            },
        ),
        migrations.RemoveField(
            model_name='trainingrun',
            name='curve',
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='kind',
            field=models.CharField(choices=KINDS, default='finetune', max_length=10, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='changes',
            field=models.CharField(blank=True, max_length=2000, verbose_name='parameters'),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='dataset_of',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='start_from',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='max_attempts',
            field=models.PositiveIntegerField(default=3),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='kind',
            field=models.CharField(choices=KINDS, default='finetune', max_length=10, verbose_name='kind'),
        ),
    ]
