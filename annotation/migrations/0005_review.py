from django.db import migrations, models


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
    ]
