"""Migrations make real collections and indexes, and carry documents along."""

import pytest
from django.db import IntegrityError, NotSupportedError, ProgrammingError, connections, migrations, models
from django.db.migrations.state import ProjectState
from django.test import override_settings

from tests.mmproject.mongo.app.models import Page, Thing

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def indexes(table):
    connection = connections["mongo"]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    return {(tuple(zip(i["columns"], i["orders"], strict=True)), i["unique"]) for i in found}


def test_keys_uniques_and_orders_become_indexes(probes):
    assert indexes("probe_thing") == {
        ((("id", "ASC"),), True),
        ((("code", "ASC"),), True),
        ((("serial", "ASC"),), True),
        ((("code", "ASC"), ("shelf", "ASC")), True),
        ((("shelf", "ASC"), ("place", "ASC"), ("code", "ASC")), True),
        ((("shelf", "ASC"), ("seen_at", "DESC")), False),
    }
    assert {((("label_id", "ASC"),), False), ((("status", "ASC"),), False)} < indexes("probe_page")


def test_a_filter_on_an_index_uses_it(probes):
    Page.objects.bulk_create(Page(id=str(n), title="x", status=str(n), depth=0) for n in range(50))
    plan = connections["mongo"].connection.command(
        "explain", {"find": "probe_page", "filter": {"status": {"$eq": "7"}}}, verbosity="executionStats"
    )
    assert plan["executionStats"]["totalDocsExamined"] == 1


@pytest.fixture
def migrate():
    """Applies migration operations one by one to an app `moving` that exists only here."""
    state, connection = ProjectState(), connections["mongo"]
    everywhere = override_settings(DATABASE_ROUTERS=[])
    everywhere.enable()

    def apply(*operations):
        nonlocal state
        for operation in operations:
            before, state = state, state.clone()
            operation.state_forwards("moving", state)
            with connection.schema_editor() as editor:
                operation.database_forwards("moving", editor, before, state)
        return state.apps

    yield apply
    everywhere.disable()
    connection.ensure_connection()
    for name in connection.connection.list_collection_names():
        if name.startswith("moving_"):
            connection.connection.drop_collection(name)
    connection.connection["__schema__"].delete_many({"name": {"$regex": "^moving_"}})
    connection.djongo_connection.cached_collections.clear()


def item(*fields, **options):
    return migrations.CreateModel(
        "Item", [("id", models.CharField(primary_key=True, max_length=9)), *fields], options=options
    )


def manager(apps, name="Item"):
    return apps.get_model("moving", name).objects.using("mongo")


def test_a_field_is_added_with_its_default_to_what_is_there(migrate):
    manager(migrate(item())).create(id="a")
    apps = migrate(
        migrations.AddField("Item", "size", models.IntegerField(default=7, db_index=True)),
        migrations.AddField("Item", "data", models.JSONField(default=dict)),
        migrations.AddField("Item", "note", models.TextField(null=True)),
    )
    assert list(manager(apps).values()) == [{"id": "a", "size": 7, "data": {}, "note": None}]
    assert ((("size", "ASC"),), False) in indexes("moving_item")


def test_a_field_is_renamed_with_its_index(migrate):
    manager(migrate(item(("old", models.CharField(max_length=9, unique=True))))).create(id="a", old="x")
    apps = migrate(migrations.RenameField("Item", "old", "new"))
    assert manager(apps).get().new == "x"
    with pytest.raises(IntegrityError):
        manager(apps).create(id="b", new="x")


def test_a_field_is_removed_with_its_index(migrate):
    manager(migrate(item(("old", models.CharField(max_length=9, unique=True))))).create(id="a", old="x")
    migrate(migrations.RemoveField("Item", "old"))
    assert "old" not in connections["mongo"].connection["moving_item"].find_one()
    assert indexes("moving_item") == {((("id", "ASC"),), True)}


def test_a_field_changes_its_rules(migrate):
    manager(migrate(item(("size", models.IntegerField(null=True))))).create(id="a")
    apps = migrate(migrations.AlterField("Item", "size", models.BigIntegerField(default=3, unique=True)))
    assert manager(apps).get().size == 3
    with pytest.raises(IntegrityError):
        manager(apps).create(id="b", size=3)
    migrate(migrations.AlterField("Item", "size", models.BigIntegerField(default=3)))
    assert indexes("moving_item") == {((("id", "ASC"),), True)}


def test_a_field_does_not_change_its_type(migrate):
    migrate(item(("size", models.IntegerField())))
    with pytest.raises(NotSupportedError, match="convert"):
        migrate(migrations.AlterField("Item", "size", models.CharField(max_length=9)))


def test_indexes_and_constraints_come_and_go(migrate):
    size, shelf = ("size", models.IntegerField()), ("shelf", models.CharField(max_length=9))
    bare = {((("id", "ASC"),), True)}
    migrate(
        item(size, shelf),
        migrations.AddIndex("Item", models.Index(fields=["-size", "shelf"], name="by_size")),
        migrations.AddConstraint("Item", models.UniqueConstraint(fields=["size", "shelf"], name="once")),
        migrations.AlterUniqueTogether("Item", {("shelf", "size")}),
    )
    assert indexes("moving_item") == bare | {
        ((("size", "DESC"), ("shelf", "ASC")), False),
        ((("size", "ASC"), ("shelf", "ASC")), True),
        ((("shelf", "ASC"), ("size", "ASC")), True),
    }
    migrate(
        migrations.RenameIndex("Item", new_name="renamed", old_name="by_size"),
        migrations.RemoveIndex("Item", "renamed"),
        migrations.RemoveConstraint("Item", "once"),
        migrations.AlterUniqueTogether("Item", set()),
    )
    assert indexes("moving_item") == bare


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddConstraint(
            "Item", models.UniqueConstraint(fields=["size"], condition=models.Q(size__gt=1), name="some")
        ),
        migrations.AddIndex("Item", models.Index(models.F("size") + 1, name="computed")),
        migrations.AddField("Item", "more", models.IntegerField(db_default=1)),
        migrations.RunSQL("UPDATE moving_item SET size = 1"),
    ],
    ids=["partial constraint", "expression index", "db_default", "RunSQL"],
)
def test_what_a_migration_cannot_say_is_refused(migrate, operation):
    migrate(item(("size", models.IntegerField())))
    with pytest.raises(NotSupportedError):
        migrate(operation)


def test_a_model_is_renamed_and_deleted(migrate):
    manager(migrate(item())).create(id="a")
    apps = migrate(migrations.RenameModel("Item", "Piece"))
    assert manager(apps, "Piece").get().pk == "a"
    migrate(migrations.DeleteModel("Piece"))
    assert not [n for n in connections["mongo"].introspection.table_names() if n.startswith("moving_")]


def test_a_broken_migration_can_run_again(migrate):
    migrate(item())
    connections["mongo"].connection["moving_item"].drop_indexes()
    with connections["mongo"].schema_editor() as editor:
        editor.create_model(migrate().get_model("moving", "Item"))
    assert indexes("moving_item") == {((("id", "ASC"),), True)}


def test_a_collection_that_no_migration_made_is_an_error(migrate):
    apps = migrate(item())
    migrate(migrations.DeleteModel("Item"))
    for use in (manager(apps).count, lambda: manager(apps).create(id="a"), manager(apps).delete):
        with pytest.raises(ProgrammingError, match="moving_item"):
            use()
    assert "moving_item" not in connections["mongo"].introspection.table_names()


def test_flush_empties_and_keeps_the_indexes(probes):
    connection = connections["mongo"]
    Thing.objects.create(code="a")
    before = indexes("probe_thing")
    statements = connection.ops.sql_flush(None, ["probe_thing", "probe_page"], reset_sequences=True)
    connection.ops.execute_sql_flush(statements)
    assert not Thing.objects.exists()
    assert indexes("probe_thing") == before
    assert Thing.objects.create(code="a").pk == 1
