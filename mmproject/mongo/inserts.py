"""INSERT, from its text to documents: in one pass, because bulk_create() writes texts of megabytes."""

import re
from typing import Any

from django.db import NotSupportedError
from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from mmproject.mongo.nodes import Insert

COUNTERS = "__schema__"  # djongo's own collection and layout, so that its databases can be taken over
INSERT = re.compile(
    r'INSERT INTO "(?P<table>[^"]+)" \((?P<columns>[^)]*)\) VALUES \((?P<rows>.*)\)(?: RETURNING (?P<returning>.*))?',
    re.DOTALL,
)


def parse_insert(sql: str, params: tuple[Any, ...]) -> Insert:
    """The rows of an INSERT.

    Raises NotSupportedError when a value is an expression.
    """
    parts = INSERT.fullmatch(sql)
    if parts is None:
        raise NotSupportedError(f"MongoDB backend: INSERT of this form: {sql[:120]}")
    columns = [name.strip('"') for name in parts["columns"].split(", ")]
    values = iter(params)
    rows = []
    for text in parts["rows"].split("), ("):
        cells = text.split(", ")
        if len(cells) != len(columns):
            raise NotSupportedError(f"MongoDB backend: an expression among the values of an INSERT: {text[:120]}")
        row: dict[str, Any] = {}
        for column, cell in zip(columns, cells, strict=True):
            if cell == "%s":
                row[column] = next(values)
            elif cell == "NULL":
                row[column] = None
            elif cell != "DEFAULT":
                raise NotSupportedError(f"MongoDB backend: an expression among the values of an INSERT: {cell[:120]}")
        rows.append(row)
    returning = tuple(name.strip('"') for name in parts["returning"].split(", ")) if parts["returning"] else ()
    return Insert(parts["table"], rows, returning)


def insert(database: Database, statement: Insert) -> list[tuple[Any, ...]]:
    """Insert the rows, and answer the `returning` columns of each; a missing one is numbered automatically.

    The statement is all or nothing, short of a crash: when a document is refused, those before it are taken back.
    """
    for name in statement.returning:
        _number(database, statement.table, name, statement.rows)
    collection = database[statement.table]
    try:
        collection.insert_many(statement.rows)
    except BulkWriteError as error:
        written = [row["_id"] for row in statement.rows[: error.details["nInserted"]]]
        collection.delete_many({"_id": {"$in": written}})
        raise
    return [tuple(row[name] for name in statement.returning) for row in statement.rows]


def _number(database: Database, table: str, name: str, documents: list[dict[str, Any]]) -> None:
    """Give each document without this column the next number of its table's counter."""
    nameless = [document for document in documents if document.get(name) is None]
    given = [document[name] for document in documents if isinstance(document.get(name), int)]
    counters = database[COUNTERS]
    if given:  # the next automatic number must be above it
        counters.update_one({"name": table}, {"$max": {"auto.seq": max(given)}}, upsert=True)
    if not nameless:
        return
    counter: Any = counters.find_one_and_update(
        {"name": table},
        {"$inc": {"auto.seq": len(nameless)}, "$addToSet": {"auto.field_names": name}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    for number, document in enumerate(nameless, start=int(counter["auto"]["seq"]) - len(nameless) + 1):
        document[name] = number
