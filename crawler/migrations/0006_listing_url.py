from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crawler', '0005_list_pages'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='listing',
            index=models.Index(fields=['url'], name='listing_url'),
        ),
    ]
