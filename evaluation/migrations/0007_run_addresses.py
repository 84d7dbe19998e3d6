from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('evaluation', '0006_queue'),
    ]

    operations = [
        migrations.AddField(
            model_name='predictionrun',
            name='attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='predictionrun',
            name='language',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='predictionrun',
            name='leased_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='predictionrun',
            index=models.Index(fields=['-created_at'], name='run_created'),
        ),
    ]
