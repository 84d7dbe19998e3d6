"""GROUP BY and aggregates as a `$group`, and what SQL answers when there was nothing to aggregate."""

from typing import Any

from django.db import NotSupportedError

from mmproject.mongo.expressions import Expressions, aggregates_in
from mmproject.mongo.nodes import Arithmetic, Call, Node, Value, bind
from mmproject.mongo.where import not_null

DIRECT = {"AVG": "$avg", "MIN": "$min", "MAX": "$max"}  # these skip nulls, and are null without a value, as in SQL


class Grouping:
    """Collects the aggregates of a statement; after `stages()` its expressions find keys and results by themselves."""

    def __init__(self, expressions: Expressions, keys: list[Node]) -> None:
        self.expressions = expressions
        self.keys = keys
        self.accumulators: dict[str, Any] = {}
        self.results: list[tuple[Node, Any]] = []

    def add(self, node: Node) -> None:
        """Take in the aggregates of one value of the select list or the order."""
        for call in aggregates_in(node):
            if all(call != known for known, _ in self.results):
                self.results.append((call, self._accumulate(call)))

    def stages(self) -> list[dict[str, Any]]:
        key = {f"g{index}": {"$ifNull": [self.expressions.compile(node), None]} for index, node in enumerate(self.keys)}
        self.expressions.computed = [
            *((node, f"$_id.g{index}") for index, node in enumerate(self.keys)),
            *self.results,
        ]
        self.expressions.grouped = True
        return [{"$group": {"_id": key or None, **self.accumulators}}]

    def _accumulate(self, call: Call) -> Any:
        """Add the accumulators of one aggregate; returns the expression that reads its result after the $group."""
        name = f"a{len(self.accumulators)}"
        if call.distinct and call.name != "COUNT":
            raise NotSupportedError(f"MongoDB backend cannot express {call.name}(DISTINCT …)")
        if len(call.arguments) > 1:
            raise NotSupportedError(f"MongoDB backend cannot express {call.name} of several columns")
        if not call.arguments:
            self.accumulators[name] = {"$sum": 1}
            return f"${name}"
        argument = self.expressions.compile(call.arguments[0])
        counted = {"$sum": {"$cond": [not_null(argument), 1, 0]}}
        if call.name == "COUNT" and call.distinct:
            self.accumulators[name] = {"$addToSet": {"$cond": [not_null(argument), argument, "$$REMOVE"]}}
            return {"$size": f"${name}"}
        if call.name == "COUNT":
            self.accumulators[name] = counted
            return f"${name}"
        if call.name == "SUM":  # of no values SQL says NULL, MongoDB 0
            self.accumulators |= {name: {"$sum": argument}, f"{name}n": counted}
            return {"$cond": [{"$gt": [f"${name}n", 0]}, f"${name}", None]}
        self.accumulators[name] = {DIRECT[call.name]: argument}
        return f"${name}"

    def value_of_nothing(self, node: Node) -> Any:
        """What a value of the select list is when no document came in: COUNT 0, other aggregates NULL."""
        match bind(node, self.expressions.params):
            case Value(value):
                return value
            case Call("COUNT"):
                return 0
            case Call("COALESCE", arguments):
                values = (self.value_of_nothing(argument) for argument in arguments)
                return next((value for value in values if value is not None), None)
            case Call():
                return None
            case Arithmetic(operator, left, right):
                a, b = self.value_of_nothing(left), self.value_of_nothing(right)
                if a is None or b is None:
                    return None
                return {"+": a + b, "-": a - b, "*": a * b}[operator]
        raise NotSupportedError("MongoDB backend: a column beside an aggregate, without a GROUP BY")
