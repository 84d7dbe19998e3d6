from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0007_picker'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='task',
            name='task_assignee',
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['assignee_id', 'state', '-priority', 'created_at', 'id'], name='task_assignee'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['-created_at', '-id'], name='task_page'),
        ),
    ]
