"""Migrations as MongoDB commands: collections, indexes, and the documents that a changed field leaves behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import NotSupportedError
from django.db.models import CheckConstraint, Field, Index, Model, UniqueConstraint
from django.db.models.constraints import BaseConstraint
from djongo.schema import DatabaseSchemaEditor as DjongoSchemaEditor
from pymongo.collection import Collection

from mmproject.mongo.errors import translated
from mmproject.mongo.inserts import COUNTERS

Keys = list[tuple[str, int]]

PRIMARY_KEY = "__primary_key__"  # djongo's name; its introspection looks for it
NUMBERS = {"int", "long", "double", "decimal"}


class DatabaseSchemaEditor(DjongoSchemaEditor):
    """Acts at once, statement by statement: there is no DDL transaction to roll back."""

    def __enter__(self) -> "DatabaseSchemaEditor":
        if self.collect_sql:
            raise NotSupportedError("MongoDB backend has no SQL to show (sqlmigrate)")
        return super().__enter__()

    def create_model(self, model: type[Model]) -> None:
        """May find the collection there: a migration that broke off is run again, with nothing rolled back."""
        table = model._meta.db_table
        with self._errors():
            if table not in self._database.list_collection_names():
                self._database.create_collection(table)
            described = {f"fields.{f.column}": {"type_code": f.db_type(self.connection)} for f in _columns(model)}
            automatic = [field.column for field in _columns(model) if field.db_returning]
            change: dict[str, Any] = {"$set": described}
            if automatic:
                change["$setOnInsert"] = {"auto": {"field_names": automatic, "seq": 0}}
            self._database[COUNTERS].update_one({"name": table}, change, upsert=True)
        for field in _columns(model):
            self._add_field_indexes(model, field)
        for names in model._meta.unique_together:
            self._unique(model, _fields(model, names))
        for index in model._meta.indexes:
            self.add_index(model, index)
        for constraint in model._meta.constraints:
            self.add_constraint(model, constraint)
        for relation in model._meta.local_many_to_many:
            if relation.remote_field.through._meta.auto_created:
                self.create_model(relation.remote_field.through)

    def delete_model(self, model: type[Model]) -> None:
        for relation in model._meta.local_many_to_many:
            if relation.remote_field.through._meta.auto_created:
                self.delete_model(relation.remote_field.through)
        with self._errors():
            self._database.drop_collection(model._meta.db_table)
            self.connection.djongo_connection.cached_collections.discard(model._meta.db_table)
            self._database[COUNTERS].delete_one({"name": model._meta.db_table})

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        if old_db_table != new_db_table:
            with self._errors():
                self._database[old_db_table].rename(new_db_table)
                self.connection.djongo_connection.cached_collections.discard(old_db_table)
                self._database[COUNTERS].update_one({"name": old_db_table}, {"$set": {"name": new_db_table}})

    # --- fields ---

    def add_field(self, model: type[Model], field: Field) -> None:
        if field.many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)
            return
        _refuse_computed(field)
        with self._errors():
            self._collection(model).update_many(
                {field.column: {"$exists": False}}, {"$set": {field.column: self.effective_default(field)}}
            )
            self._describe(model, {"$set": {f"fields.{field.column}": {"type_code": field.db_type(self.connection)}}})
        self._add_field_indexes(model, field)

    def remove_field(self, model: type[Model], field: Field) -> None:
        if field.many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.delete_model(field.remote_field.through)
            return
        self._drop_indexes(model, lambda index: any(column == field.column for column, _ in index["key"]))
        with self._errors():
            self._collection(model).update_many({}, {"$unset": {field.column: ""}})
            self._describe(model, {"$unset": {f"fields.{field.column}": ""}})

    def alter_field(self, model: type[Model], old_field: Field, new_field: Field, strict: bool = False) -> None:
        """Renames, fills nulls that are no longer allowed, and remakes the field's own indexes.

        Raises NotSupportedError when the type changes so that stored values would have to be converted.
        """
        if not self._field_should_be_altered(old_field, new_field):
            return
        if old_field.many_to_many or new_field.many_to_many:
            raise NotSupportedError(f"MongoDB backend cannot alter the many-to-many field {new_field}")
        _refuse_computed(new_field)
        types = {old_field.db_type(self.connection), new_field.db_type(self.connection)}
        if len(types) > 1 and not types <= {"int", "long"}:
            raise NotSupportedError(f"MongoDB backend cannot convert the stored values of {new_field}: {types}")
        self._drop_indexes(model, lambda index: _own_index(index, old_field))
        if old_field.column != new_field.column:
            self._rename_column(model, old_field.column, new_field.column)
        if old_field.null and not new_field.null:
            with self._errors():
                self._collection(model).update_many(
                    {new_field.column: None}, {"$set": {new_field.column: self.effective_default(new_field)}}
                )
        self._add_field_indexes(model, new_field)

    def _rename_column(self, model: type[Model], old: str, new: str) -> None:
        with self._errors():
            moved = [
                (name, index)
                for name, index in self._collection(model).index_information().items()
                if any(column == old for column, _ in index["key"])
            ]
            self._collection(model).update_many({}, {"$rename": {old: new}})
            self._describe(model, {"$rename": {f"fields.{old}": f"fields.{new}"}})
            for name, index in moved:
                keys = [(new if column == old else column, direction) for column, direction in index["key"]]
                self._collection(model).drop_index(name)
                self._create_index(model, name, keys, unique=index.get("unique", False))

    # --- indexes and constraints ---

    def add_index(self, model: type[Model], index: Index) -> None:
        if type(index) is not Index or index.expressions or index.condition or index.include or index.opclasses:
            raise NotSupportedError(f"MongoDB backend cannot express the index {index.name} ({type(index).__name__})")
        self._create_index(
            model,
            index.name,
            [(model._meta.get_field(name).column, -1 if order == "DESC" else 1) for name, order in index.fields_orders],
        )

    def remove_index(self, model: type[Model], index: Index) -> None:
        self._drop_indexes(model, lambda found: found["name"] == index.name)

    def rename_index(self, model: type[Model], old_index: Index, new_index: Index) -> None:
        self.remove_index(model, old_index)
        self.add_index(model, new_index)

    def add_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        if isinstance(constraint, CheckConstraint):
            return  # Django's own check models.W027 tells so
        if (
            not isinstance(constraint, UniqueConstraint)
            or constraint.condition
            or constraint.expressions
            or constraint.include
            or constraint.opclasses
            or constraint.deferrable
            or constraint.nulls_distinct is False
        ):
            raise NotSupportedError(f"MongoDB backend cannot express the constraint {constraint.name}")
        self._unique(model, _fields(model, constraint.fields), constraint.name)

    def remove_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        self._drop_indexes(model, lambda found: found["name"] == constraint.name)

    def alter_unique_together(self, model: type[Model], old_unique_together: Any, new_unique_together: Any) -> None:
        old, new = ({tuple(fields) for fields in together} for together in (old_unique_together, new_unique_together))
        for names in old - new:
            columns = [field.column for field in _fields(model, names)]
            self._drop_indexes(model, partial(_is_unique_on, columns))
        for names in new - old:
            self._unique(model, _fields(model, names))

    def alter_index_together(self, model: type[Model], old_index_together: Any, new_index_together: Any) -> None:
        raise NotSupportedError("MongoDB backend takes Meta.indexes, not index_together")

    def _add_field_indexes(self, model: type[Model], field: Field) -> None:
        if field.primary_key:
            self._create_index(model, PRIMARY_KEY, [(field.column, 1)], unique=True)
        elif field.unique:
            self._unique(model, [field])
        elif field.db_index:
            name = self._create_index_name(model._meta.db_table, [field.column])
            self._create_index(model, name, [(field.column, 1)])

    def _unique(self, model: type[Model], fields: list[Field], index_name: str = "") -> None:
        columns = [field.column for field in fields]
        index_name = index_name or self._create_index_name(model._meta.db_table, columns, suffix="_uniq")
        self._create_index(
            model,
            index_name,
            [(column, 1) for column in columns],
            unique=True,
            # In SQL two NULLs are no duplicates: only documents with a value are held to be unique.
            only={field.column: {"$type": self._bson_type(field)} for field in fields if field.null},
        )

    def _create_index(
        self, model: type[Model], name: str, keys: Keys, *, unique: bool = False, only: dict[str, Any] | None = None
    ) -> None:
        """An index of the same keys that already does the work is left alone: MongoDB refuses a second one."""
        with self._errors():
            for existing in self._collection(model).index_information().values():
                if existing["key"] == keys and (existing.get("unique", False) or not unique) and not only:
                    return
            options: dict[str, Any] = {"partialFilterExpression": only} if only else {}
            self._collection(model).create_index(keys, name=name, unique=unique, **options)

    def _drop_indexes(self, model: type[Model], wanted: Callable[[dict[str, Any]], bool]) -> None:
        with self._errors():
            for name, index in self._collection(model).index_information().items():
                if name != "_id_" and wanted({**index, "name": name}):
                    self._collection(model).drop_index(name)

    # --- the rest ---

    def execute(self, sql: Any, params: Any = ()) -> None:
        raise NotSupportedError(f"MongoDB backend runs no SQL in a migration: {sql}")

    @property
    def _database(self) -> Any:
        self.connection.ensure_connection()
        return self.connection.connection

    def _collection(self, model: type[Model]) -> Collection:
        return self._database[model._meta.db_table]

    def _describe(self, model: type[Model], change: dict[str, Any]) -> None:
        self._database[COUNTERS].update_one({"name": model._meta.db_table}, change)

    def _bson_type(self, field: Field) -> str:
        stored = field.db_type(self.connection)
        return "number" if stored in NUMBERS else stored

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self.connection.wrap_database_errors, translated():
            yield


def _columns(model: type[Model]) -> list[Field]:
    for field in model._meta.local_fields:
        _refuse_computed(field)
    return [field for field in model._meta.local_fields if field.column]


def _fields(model: type[Model], names: Iterable[str]) -> list[Field]:
    return [model._meta.get_field(name) for name in names]


def _refuse_computed(field: Field) -> None:
    if field.generated or field.has_db_default():
        raise NotSupportedError(f"MongoDB backend cannot express db_default or GeneratedField: {field}")


def _is_unique_on(columns: list[str], index: dict[str, Any]) -> bool:
    return bool(index.get("unique")) and [column for column, _ in index["key"]] == columns


def _own_index(index: dict[str, Any], field: Field) -> bool:
    """Whether an index is the one that the field's own options ask for."""
    return [column for column, _ in index["key"]] == [field.column] and (
        bool(index.get("unique")) == field.unique and (field.unique or field.db_index)
    )
