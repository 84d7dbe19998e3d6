"""A value of a statement as a MongoDB aggregation expression."""

from collections.abc import Mapping
from typing import Any

from django.db import NotSupportedError

from mmproject.mongo.nodes import Arithmetic, Call, Column, Node, Param, Value

ARITHMETIC = {"+": "$add", "-": "$subtract", "*": "$multiply"}
EXTRACT = {
    "year": "$year",
    "iso_year": "$isoWeekYear",
    "month": "$month",
    "week": "$isoWeek",
    "day": "$dayOfMonth",
    "week_day": "$dayOfWeek",
    "iso_week_day": "$isoDayOfWeek",
    "hour": "$hour",
    "minute": "$minute",
    "second": "$second",
}
AGGREGATES = {"COUNT", "SUM", "AVG", "MIN", "MAX"}


class Scope:
    """Where the columns of each table of a statement lie in the documents that flow through its pipeline.

    `tables` maps a table's alias to the prefix of its columns' paths, or, for a subquery, its column names to paths.
    """

    def __init__(self, tables: Mapping[Any, str | Mapping[str, str]]) -> None:
        self.tables = tables

    def path(self, column: Column) -> str:
        """The path of a column. Raises NotSupportedError for a column of an outer statement."""
        if column.table is None and len(self.tables) == 1:
            (place,) = self.tables.values()
        elif column.table in self.tables:
            place = self.tables[column.table]
        else:
            raise NotSupportedError(
                f"MongoDB backend cannot express a subquery that refers to the outer query (OuterRef): "
                f"{column.table}.{column.name}"
            )
        if isinstance(place, str):
            return place + column.name
        if column.name not in place:
            raise NotSupportedError(f"MongoDB backend: {column.name} is no column of the subquery")
        return place[column.name]


class Expressions:
    """Compiles values of one statement; `computed` holds nodes whose value already lies in the documents."""

    def __init__(self, scope: Scope, params: tuple[Any, ...]) -> None:
        self.scope = scope
        self.params = params
        self.computed: list[tuple[Node, Any]] = []
        self.grouped = False  # then columns are gone: only `computed` is left

    def constant(self, node: Node) -> Any:
        """The value of a constant. Raises NotSupportedError for anything else."""
        match node:
            case Param(index):
                return self.params[index]
            case Value(value):
                return value
        raise NotSupportedError(f"MongoDB backend needs a constant here, not {describe(node)}")

    def is_constant(self, node: Node) -> bool:
        return isinstance(node, Param | Value)

    def compile(self, node: Node) -> Any:
        """The aggregation expression of a value; null or missing stands for SQL's NULL.

        Raises NotSupportedError naming what has no equivalent.
        """
        for known, expression in self.computed:
            if known == node:
                return expression
        match node:
            case Column(_, name):
                if self.grouped:
                    raise NotSupportedError(f"MongoDB backend: {name} is neither grouped by nor aggregated")
                return "$" + self.scope.path(node)
            case Param() | Value():
                return {"$literal": self.constant(node)}
            case Arithmetic(operator, left, right):
                return {ARITHMETIC[operator]: [self.compile(left), self.compile(right)]}
            case Call("COALESCE", arguments):
                return {"$ifNull": [*map(self.compile, arguments), None]}
            case Call("CAST", (argument, Value("TEXT"))):
                return {"$toString": self.compile(argument)}
            case Call("JSON_PATH", (column, *keys)):
                return self._json_path(column, keys)
            case Call("DATE_TRUNC", (unit, moment, zone)):
                return {
                    "$dateTrunc": {
                        "date": self._wall_clock(moment, zone),
                        "unit": self.constant(unit),
                        "startOfWeek": "monday",
                    }
                }
            case Call("EXTRACT", (unit, moment, zone)):
                return self._extract(self.constant(unit), self._wall_clock(moment, zone))
        raise NotSupportedError(f"MongoDB backend cannot express {describe(node)}")

    def _extract(self, unit: str, moment: Any) -> Any:
        if unit == "quarter":
            return {"$toInt": {"$ceil": {"$divide": [{"$month": moment}, 3]}}}
        if unit not in EXTRACT:
            raise NotSupportedError(f"MongoDB backend cannot extract {unit} from a date")
        return {EXTRACT[unit]: moment}

    def _wall_clock(self, moment: Node, zone: Node) -> Any:
        """What a clock in that zone showed, as if it were UTC: Django attaches the zone again itself."""
        expression, name = self.compile(moment), self.constant(zone)
        if name in (None, "UTC"):
            return expression
        name = name.removeprefix("UTC")  # Django writes a fixed offset as UTC+08:00
        shown = {"$dateToString": {"date": expression, "timezone": name, "format": "%Y-%m-%dT%H:%M:%S.%L"}}
        return {"$dateFromString": {"dateString": shown}}

    def _json_path(self, column: Node, keys: list[Node]) -> Any:
        expression = self.compile(column)
        for key in map(self.constant, keys):
            if isinstance(key, int):
                expression = {
                    "$cond": [{"$isArray": [expression]}, {"$arrayElemAt": [expression, key]}, "$$REMOVE"],
                }
            else:  # $getField, because a path would take a key's dots and dollars, and lists, for its own
                expression = {"$getField": {"field": {"$literal": key}, "input": expression}}
        return expression


def is_aggregate(node: Node) -> bool:
    return isinstance(node, Call) and node.name in AGGREGATES


def aggregates_in(node: Node) -> list[Call]:
    """The aggregate calls in a value, outermost first."""
    match node:
        case Call(_, arguments):
            if is_aggregate(node):
                return [node]
            return [found for argument in arguments for found in aggregates_in(argument)]
        case Arithmetic(_, left, right):
            return aggregates_in(left) + aggregates_in(right)
    return []


def describe(node: Node) -> str:
    """A construct's name for an error message."""
    match node:
        case Call(name):
            return "order_by('?')" if name in {"RAND", "RANDOM"} else f"the function {name}"
        case Column(_, name):
            return f"the column {name}"
        case Param() | Value():
            return "a constant"
    return f"a condition used as a value ({type(node).__name__})"
