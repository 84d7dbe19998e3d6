from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0002_review'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='label',
            name='label_created',
        ),
        migrations.AddIndex(
            model_name='label',
            index=models.Index(fields=['-created_at', '-id'], name='label_page'),
        ),
        migrations.AddIndex(
            model_name='label',
            index=models.Index(fields=['annotator_id', '-created_at', '-id'], name='label_annotator_page'),
        ),
    ]
