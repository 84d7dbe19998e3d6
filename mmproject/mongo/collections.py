"""The MongoDB collection of a model, for what the ORM does not say: aggregation pipelines. Works on both engines."""

from typing import Any

from django.db import connections, router
from django.db.models import Model
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
