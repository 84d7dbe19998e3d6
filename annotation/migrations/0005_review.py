from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_work")]

    operations = [
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["decided_by", "-decided_at"], name="dispute_reviewer"),
        ),
    ]
