from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from mmproject.roles import PERMISSIONS


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The groups by name. Their permissions follow in `mmproject.roles.make_groups`, once Django has made these."""
    for name in PERMISSIONS:
        apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
