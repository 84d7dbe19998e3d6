"""A condition as a MongoDB filter, with SQL's three-valued logic.

A comparison with NULL is neither true nor false. So NOT is never written as a `$nor` around a filter: it is pushed
down to the leaves, and each leaf knows the filter of "is true" and that of "is false". A row for which a leaf is NULL
matches neither. Plain columns become plain filters, which can use an index; everything else goes through `$expr`.
"""

from collections.abc import Callable
from typing import Any

from django.db import NotSupportedError

from mmproject.mongo.expressions import Expressions, describe
from mmproject.mongo.nodes import And, Call, Column, Compare, In, IsNull, Match, Node, Not, Or, Select

Filter = dict[str, Any]

NEVER: Filter = {"_id": {"$in": []}}
ORDERS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
COMPARISONS = {"=": "$eq", "<>": "$ne", **ORDERS}
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Where:
    """Compiles conditions over one statement's documents.

    `choices` runs the subquery of an IN and returns its values: Mongo cannot, and its rows may lie in any collection.
    """

    def __init__(self, expressions: Expressions, choices: Callable[[Select], list[Any]]) -> None:
        self.expressions = expressions
        self.choices = choices

    def compile(self, node: Node, wanted: bool = True) -> Filter:
        """The filter of the documents for which the condition is `wanted`, not merely something else than its opposite.

        Raises NotSupportedError naming what has no equivalent.
        """
        match node:
            case Not(condition):
                return self.compile(condition, not wanted)
            case And(conditions):
                return {"$and" if wanted else "$or": [self.compile(part, wanted) for part in conditions]}
            case Or(conditions):
                return {"$or" if wanted else "$and": [self.compile(part, wanted) for part in conditions]}
            case Compare(operator, left, right):
                return self._compare(operator if wanted else OPPOSITE[operator], left, right)
            case IsNull(subject):
                return self._is_null(subject, wanted)
            case In(subject, choices):
                return self._in(subject, self._values(choices), wanted)
            case Match(kind, subject, pattern):
                return self._match(subject, *self._pattern(kind, pattern), wanted)
            case Call("JSON_EXISTS", arguments):
                found = self.expressions.compile(Call("JSON_PATH", arguments))
                return {"$expr": {"$ne" if wanted else "$eq": [{"$type": found}, "missing"]}}
            case Column():  # a boolean column alone
                return {self.expressions.scope.path(node): {"$eq": wanted}}
        if self.expressions.is_constant(node):
            return {} if self.expressions.constant(node) is wanted else NEVER
        raise NotSupportedError(f"MongoDB backend cannot express {describe(node)} as a condition")

    def _values(self, choices: Select | tuple[Node, ...]) -> list[Any]:
        if isinstance(choices, Select):
            return self.choices(choices)
        return [self.expressions.constant(choice) for choice in choices]

    def _compare(self, operator: str, left: Node, right: Node) -> Filter:
        constant = self.expressions.is_constant
        if constant(left) and not constant(right):
            left, right, operator = right, left, MIRRORED[operator]
        if isinstance(left, Column) and constant(right):
            path, value = self.expressions.scope.path(left), self.expressions.constant(right)
            if value is None:
                return NEVER
            # Not $ne: that one also matches documents without a value.
            return {path: {"$nin": [value, None]} if operator == "<>" else {COMPARISONS[operator]: value}}
        if isinstance(left, Call) and left.name == "JSON_PATH" and constant(right):
            return self._compare_json(operator, left, self.expressions.constant(right))
        compiled = [self.expressions.compile(left), self.expressions.compile(right)]
        return {"$expr": {"$and": [*map(not_null, compiled), {COMPARISONS[operator]: compiled}]}}

    def _compare_json(self, operator: str, subject: Call, value: Any) -> Filter:
        """JSON is compared within one type: aggregation's own order would say that any text is above any number."""
        found = self.expressions.compile(subject)
        of_column = len(subject.arguments) == 1
        present = not_null(found) if of_column else {"$ne": [{"$type": found}, "missing"]}
        if value is None and operator in {
            "=",
            "<>",
        }:  # JSON's null is a value; a path that is not there has none
            same = {"$eq": [{"$type": found}, "null"]}
            return {"$expr": same if operator == "=" else {"$and": [present, {"$not": [same]}]}}
        tests = [present, {COMPARISONS[operator]: [found, {"$literal": value}]}]
        if operator in ORDERS:
            if isinstance(value, str):
                tests.append({"$eq": [{"$type": found}, "string"]})
            elif isinstance(value, int | float) and not isinstance(value, bool):
                tests.append({"$isNumber": found})
            else:
                raise NotSupportedError(f"MongoDB backend cannot order JSON by {value!r}")
        return {"$expr": {"$and": tests}}

    def _is_null(self, subject: Node, wanted: bool) -> Filter:
        if isinstance(subject, Column):
            return {self.expressions.scope.path(subject): {"$eq" if wanted else "$ne": None}}
        found = self.expressions.compile(subject)
        return {"$expr": {"$not": [not_null(found)]} if wanted else not_null(found)}

    def _in(self, subject: Node, values: list[Any], wanted: bool) -> Filter:
        known = [value for value in values if value is not None]
        if not wanted and len(known) != len(values):
            return NEVER  # x NOT IN (…, NULL) is false or NULL
        if isinstance(subject, Column):
            path = self.expressions.scope.path(subject)
            return {path: {"$in": known} if wanted else {"$nin": [*known, None]}}
        found = self.expressions.compile(subject)
        among = {"$in": [found, [{"$literal": value} for value in known]]}
        return {"$expr": {"$and": [not_null(found), among if wanted else {"$not": [among]}]}}

    def _pattern(self, kind: str, pattern: Node) -> tuple[str, str]:
        value = self.expressions.constant(pattern)
        if kind in {"REGEX", "IREGEX"}:
            return str(value), "i" if kind == "IREGEX" else ""
        return like_to_regex(str(value)), "is" if kind == "ILIKE" else "s"

    def _match(self, subject: Node, regex: str, options: str, wanted: bool) -> Filter:
        if isinstance(subject, Column):
            path = self.expressions.scope.path(subject)
            matches: Filter = {"$regex": regex, "$options": options}
            return {path: matches if wanted else {"$not": matches, "$ne": None}}
        found = self.expressions.compile(subject)
        matches = {"$regexMatch": {"input": found, "regex": regex, "options": options}}
        return {"$expr": {"$and": [not_null(found), matches if wanted else {"$not": [matches]}]}}


def not_null(expression: Any) -> Any:
    """Neither null nor missing: both sort below every value."""
    return {"$gt": [expression, None]}


def like_to_regex(pattern: str) -> str:
    """The regular expression of a LIKE pattern with `\\` as its escape; everything but `%` and `_` is literal text.

    A leading `\\A` without wildcards lets MongoDB use an index.
    """
    pieces, characters = [], iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append(".*")
        elif character == "_":
            pieces.append(".")
        else:
            pieces.append(_literal(next(characters, "\\") if character == "\\" else character))
    start = pieces[:1] == [".*"]
    end = len(pieces) > 1 and pieces[-1] == ".*"
    middle = "".join(pieces[1 if start else 0 : len(pieces) - 1 if end else len(pieces)])
    return ("" if start else r"\A") + middle + ("" if (start and len(pieces) == 1) or end else r"\z")


def _literal(character: str) -> str:
    if character == "\0":
        return r"\x00"  # BSON ends a pattern at a NUL
    return "\\" + character if character.isascii() and not character.isalnum() and character != "_" else character
