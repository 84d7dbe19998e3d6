"""Have the products that are there found by name, brand and pinyin."""

from django.db import migrations

from annotation.picker import search_text_for


def fill(apps, schema_editor):
    if schema_editor.connection.alias != "mongo":
        return
    brands = {brand.id: brand for brand in apps.get_model("annotation", "Brand").objects.using("mongo").all()}
    products = apps.get_model("annotation", "Product").objects.using("mongo")
    for product in products.filter(search_text=""):
        brand = brands.get(product.brand_id)
        text = search_text_for(
            name=product.name,
            brand_name=brand.name if brand else "",
            aliases=brand.aliases if brand else "",
            keywords=product.keywords,
        )
        products.filter(id=product.id).update(search_text=text)


class Migration(migrations.Migration):

    dependencies = [("annotation", "0004_work")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
