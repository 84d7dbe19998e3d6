from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('evaluation', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ListingOpinion',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('model_id', models.CharField(max_length=64)),
                ('about_id', models.CharField(max_length=64)),
                ('product_id', models.CharField(blank=True, max_length=64)),
                ('product_name', models.CharField(blank=True, max_length=200, verbose_name='product')),
                ('brand_name', models.CharField(blank=True, max_length=120, verbose_name='brand')),
                ('confidence', models.FloatField(default=0.0, verbose_name='confidence')),
                ('predicted_at', models.DateTimeField(verbose_name='answered')),
            ],
            options={
                'verbose_name': 'opinion of a listing',
                'verbose_name_plural': 'opinions of listings',
            },
        ),
    ]
