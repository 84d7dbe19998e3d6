from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_search_text")]

    operations = [
        migrations.AddField(
            model_name="label",
            name="judgment_id",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
