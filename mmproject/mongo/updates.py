"""UPDATE and DELETE as MongoDB writes."""

from typing import Any

from pymongo.database import Database

from mmproject.mongo.expressions import Expressions, Scope
from mmproject.mongo.nodes import Delete, Node, Param, Update, Value
from mmproject.mongo.select import rows
from mmproject.mongo.where import Filter, Where


def update(database: Database, statement: Update, params: tuple[Any, ...]) -> int:
    """The number of documents that matched. Each one is tested and changed in one atomic step."""
    expressions, where = _compilers(database, statement.table, params)
    change: Any = {"$set": {name: expressions.compile(node) for name, node in statement.assignments}}
    if all(isinstance(node, Param | Value) for _, node in statement.assignments):
        change = {"$set": {name: expressions.constant(node) for name, node in statement.assignments}}
    else:
        change = [change]  # a pipeline: its expressions see the values from before
    return database[statement.table].update_many(_filter(where, statement.where), change).matched_count


def delete(database: Database, statement: Delete, params: tuple[Any, ...]) -> int:
    """The number of documents deleted."""
    _, where = _compilers(database, statement.table, params)
    return database[statement.table].delete_many(_filter(where, statement.where)).deleted_count


def _compilers(database: Database, table: str, params: tuple[Any, ...]) -> tuple[Expressions, Where]:
    expressions = Expressions(Scope({table: ""}), params)
    return expressions, Where(expressions, lambda subquery: [row[0] for row in rows(database, subquery, params)])


def _filter(where: Where, condition: Node | None) -> Filter:
    return {} if condition is None else where.compile(condition)
