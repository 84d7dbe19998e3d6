"""The MongoDB collection of a model, for what the ORM does not say: aggregation pipelines. Works on both engines."""

from collections.abc import Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Model
from pymongo import UpdateOne
from pymongo.collection import Collection


def collection(model: type[Model], *, using: str | None = None) -> Collection:
    """The pymongo collection that holds a model's documents.

    Its dates are naive UTC and its writes are acknowledged by the journal. pymongo's own errors come out of it.
    """
    connection: Any = connections[using or router.db_for_read(model)]
    connection.ensure_connection()
    if hasattr(connection, "get_collection"):  # django_mongodb_backend
        return connection.get_collection(model._meta.db_table)
    return connection.connection[model._meta.db_table]


def field_name(model: type[Model], name: str) -> str:
    """The key under which the documents hold a field: "pk" and a foreign key's name are understood.

    Both engines keep an explicit primary key under its own name, beside MongoDB's `_id`.
    Raises django.core.exceptions.FieldDoesNotExist for a name that the model does not have.
    """
    return (model._meta.pk if name == "pk" else model._meta.get_field(name)).column


def update_each(model: type[Model], changes: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Set different fields of many documents, given as (key, values), in one round trip.

    The ORM cannot: its bulk_update needs CASE. pymongo's own errors come out of it, BulkWriteError for a taken name.
    """
    if not changes:
        return
    key = field_name(model, "pk")
    updates = [
        UpdateOne({key: pk}, {"$set": {field_name(model, name): value for name, value in values.items()}})
        for pk, values in changes
    ]
    collection(model).bulk_write(updates, ordered=False)
