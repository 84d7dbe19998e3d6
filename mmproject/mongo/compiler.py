"""Django's compilers, with our SQL for the expressions that have no neutral one: JSON paths and their lookups."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import NotSupportedError
from django.db.models import Case, Exists, JSONField, Lookup, Subquery, Window
from django.db.models.expressions import OrderBy
from django.db.models.fields import json as json_lookups
from django.db.models.functions import Random
from django.db.models.lookups import IsNull
from django.db.models.sql import compiler

Sql = tuple[str, tuple[Any, ...]]


class _MongoCompiler(compiler.SQLCompiler):
    def compile(self, node: Any) -> Sql:
        """As Django's; the nodes below get our SQL here, so that no class of Django's has to be patched."""
        kind: Any = type(node)
        if write := _writer(kind):
            return write(self, node)
        return super().compile(node)

    def get_converters(self, expressions: Any) -> dict[int, tuple[list[Any], Any]]:
        """Documents hold JSON values as they are: JSONField must not parse their strings once more."""
        converters = super().get_converters(expressions)
        for index, (functions, expression) in converters.items():
            if isinstance(expression.output_field, JSONField):
                kept = [f for f in functions if getattr(f, "__func__", None) is not JSONField.from_db_value]
                converters[index] = (kept, expression)
        return converters


class SQLCompiler(_MongoCompiler):
    pass


class SQLInsertCompiler(_MongoCompiler, compiler.SQLInsertCompiler):
    pass


class SQLDeleteCompiler(_MongoCompiler, compiler.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(_MongoCompiler, compiler.SQLUpdateCompiler):
    pass


class SQLAggregateCompiler(_MongoCompiler, compiler.SQLAggregateCompiler):
    pass


def _refuse(self: _MongoCompiler, node: Any) -> Sql:
    raise NotSupportedError(f"MongoDB backend cannot express {type(node).__name__}")


def _path(self: _MongoCompiler, node: Any, function: str = "JSON_PATH") -> Sql:
    """`FUNCTION(column, key, …)`; a key that is a whole number also counts into a list, as everywhere in Django."""
    keys: tuple[Any, ...] = ()
    if isinstance(node, json_lookups.KeyTransform):
        column, params, names = node.preprocess_lhs(self, self.connection)
        keys = tuple(int(name) if name.isdecimal() else name for name in names)
    else:
        column, params = self.compile(node)
    return f"{function}({', '.join([column, *['%s'] * len(keys)])})", (*params, *keys)


def _json_exact(self: _MongoCompiler, node: Lookup) -> Sql:
    if hasattr(node.rhs, "resolve_expression") and not hasattr(node.rhs, "value"):
        raise NotSupportedError("MongoDB backend cannot compare a JSON value with an expression")
    left, params = _path(self, node.lhs)
    value = getattr(node.rhs, "value", node.rhs)
    return f"{left} = %s", (*params, self.connection.ops.adapt_json_value(value, None))


def _json_key_is_null(self: _MongoCompiler, node: Lookup) -> Sql:
    sql, params = _path(self, node.lhs, "JSON_EXISTS")
    return (f"NOT {sql}" if node.rhs else sql), params


def _is_null(self: _MongoCompiler, node: IsNull) -> Sql:
    # As a plain column, {"$eq": null} would also match a list that holds a null.
    if isinstance(getattr(node.lhs, "output_field", None), JSONField):
        sql, params = _path(self, node.lhs)
        return f"{sql} IS {'' if node.rhs else 'NOT '}NULL", params
    return node.as_sql(self, self.connection)


def _order_by(self: _MongoCompiler, node: OrderBy) -> Sql:
    # MongoDB, as SQLite, holds NULL to be the lowest value.
    if (node.nulls_last and not node.descending) or (node.nulls_first and node.descending):
        raise NotSupportedError("MongoDB backend cannot express nulls_last, or nulls_first of a descending order")
    return node.as_sql(self, self.connection)


_WRITERS: list[tuple[type, Callable[[Any, Any], Sql]]] = [
    *((refused, _refuse) for refused in (Window, Subquery, Exists, Case, Random)),
    (json_lookups.HasKeyLookup, _refuse),
    (json_lookups.KeyTextTransform, _refuse),
    (json_lookups.KeyTransform, _path),
    (json_lookups.JSONExact, _json_exact),
    (json_lookups.KeyTransformIsNull, _json_key_is_null),
    (IsNull, _is_null),
    (OrderBy, _order_by),
]


@cache
def _writer(kind: Any) -> Callable[[Any, Any], Sql] | None:
    return next((write for parent, write in _WRITERS if issubclass(kind, parent)), None)
