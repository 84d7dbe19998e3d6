"""A SELECT as one find() or one aggregation pipeline, and how a document of its answer becomes a row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import NotSupportedError
from pymongo.database import Database

from mmproject.mongo.expressions import Expressions, Scope, aggregates_in
from mmproject.mongo.grouping import Grouping
from mmproject.mongo.nodes import And, Call, Column, Join, Node, Not, Or, Order, Select, Value, bind
from mmproject.mongo.where import Filter, Where

Row = tuple[Any, ...]
Stage = dict[str, Any]


@dataclass(slots=True)
class Plan:
    """What to send and how to read the answer."""

    collection: str
    row: Callable[[dict[str, Any]], Row]
    pipeline: list[Stage] | None = None
    find: dict[str, Any] = field(default_factory=dict)
    # The row of an aggregate over no documents at all, for which MongoDB answers nothing.
    row_of_nothing: Row | None = None
    names: dict[str, str] = field(default_factory=dict)


def rows(database: Database, select: Select, params: tuple[Any, ...]) -> Iterator[Row]:
    """The rows of a SELECT, read from the server as they are asked for.

    Raises NotSupportedError, before anything is sent, for what MongoDB cannot express.
    """
    if select.limit == 0:
        return iter(())
    plan = SelectPlanner(database, select, params).plan()
    collection = database[plan.collection]
    documents: Any = collection.find(**plan.find) if plan.pipeline is None else collection.aggregate(plan.pipeline)
    return _read(documents, plan)


def _read(documents: Any, plan: Plan) -> Iterator[Row]:
    empty = True
    with documents:
        for document in documents:
            empty = False
            yield plan.row(document)
    if empty and plan.row_of_nothing is not None:
        yield plan.row_of_nothing


class SelectPlanner:
    def __init__(self, database: Database, select: Select, params: tuple[Any, ...]) -> None:
        self.database = database
        self.select = select
        self.params = params
        self.inner = (
            SelectPlanner(database, select.source, params).plan(as_documents=True)
            if isinstance(select.source, Select)
            else None
        )
        tables: dict[str, Any] = {select.alias: self.inner.names if self.inner else ""}
        tables |= {join.alias: f"{_place(join.alias)}." for join in select.joins}
        self.expressions = Expressions(Scope(tables), params)
        self.where = Where(self.expressions, self.choices)

    def choices(self, subquery: Select) -> list[Any]:
        return [row[0] for row in rows(self.database, subquery, self.params)]

    def plan(self, *, as_documents: bool = False) -> Plan:
        """The plan. `as_documents`: a pipeline whose documents hold the columns under `names`, for an outer SELECT."""
        select = self.select
        items = [self._resolved(item.node) for item in select.items]
        orders = [Order(self._resolved(order.node), order.descending) for order in select.order]
        grouped = bool(select.group) or any(aggregates_in(node) for node in items)
        if not (as_documents or grouped or select.distinct or select.joins or self.inner) and self._plain(
            items, orders
        ):
            return self._find(items, orders)
        return self._pipeline(items, orders, grouped, as_documents)

    def _resolved(self, node: Node) -> Node:
        """A position or an alias of the select list stands for that entry."""
        if isinstance(node, Value) and type(node.value) is int and node not in [i.node for i in self.select.items]:
            return bind(self.select.items[node.value - 1].node, self.params)
        if isinstance(node, Column) and node.table is None:
            for item in self.select.items:
                if item.alias == node.name:
                    return bind(item.node, self.params)
        return bind(node, self.params)

    # --- find() ---

    def _plain(self, items: list[Node], orders: list[Order]) -> bool:
        return all(isinstance(node, Column | Value) for node in items) and all(
            isinstance(order.node, Column) for order in orders
        )

    def _find(self, items: list[Node], orders: list[Order]) -> Plan:
        path = self.expressions.scope.path
        names = [path(node) if isinstance(node, Column) else None for node in items]
        find: dict[str, Any] = {
            "filter": self.where.compile(self.select.where) if self.select.where else {},
            "projection": {"_id": False, **{name: True for name in names if name}},
        }
        if not any(names):
            find["projection"] = {"_id": True}  # an empty projection would bring everything
        elif "_id" in names:
            find["projection"]["_id"] = True
        if orders:
            find["sort"] = list(self._sort_of(orders).items())
        if self.select.limit is not None:
            find["limit"] = self.select.limit
        if self.select.offset:
            find["skip"] = self.select.offset
        return Plan(self.select.source, _reader(items, names), find=find)  # type: ignore[arg-type]

    # --- pipeline ---

    def _pipeline(self, items: list[Node], orders: list[Order], grouped: bool, as_documents: bool) -> Plan:
        select, expressions = self.select, self.expressions
        pipeline = list(self.inner.pipeline or ()) if self.inner else []
        early, late = self._split_where()
        if early:
            pipeline.append({"$match": early})
        # Ordered before it is joined, a page can use an index and joins no more documents than it shows.
        sort_early = not (grouped or select.distinct) and all(self._is_own_column(order.node) for order in orders)
        if sort_early and orders:
            pipeline.append({"$sort": self._sort_of(orders)})
        for join in select.joins:
            pipeline += self._join(join)
        if late:
            pipeline.append({"$match": late})
        grouping = None
        if grouped:
            grouping = Grouping(expressions, [self._resolved(node) for node in select.group])
            for node in (*items, *(order.node for order in orders)):
                grouping.add(node)
            pipeline += grouping.stages()
        if sort_early:
            pipeline += self._slice()
        names = {f"c{index}": expressions.compile(node) for index, node in enumerate(items)}
        keys = {} if sort_early else self._sort_keys(items, orders, names)
        pipeline.append({"$project": {"_id": False, **names}})
        if select.distinct:
            pipeline += _distinct(list(names)[: len(items)])
        if keys:
            pipeline.append({"$sort": keys})
        if not sort_early:
            pipeline += self._slice()
        plan = Plan(
            self.inner.collection if self.inner else str(select.source),
            _reader(items, list(names)[: len(items)]),
            pipeline,
            names={
                item.alias or (item.node.name if isinstance(item.node, Column) else ""): f"c{index}"
                for index, item in enumerate(select.items)
            },
        )
        if grouping and not select.group:
            plan.row_of_nothing = tuple(grouping.value_of_nothing(node) for node in items)
            if as_documents:
                raise NotSupportedError("MongoDB backend cannot express an aggregate over an aggregate of everything")
        return plan

    def _split_where(self) -> tuple[Filter | None, Filter | None]:
        """The part of the condition on the first table alone, to be tested before any join; and the rest."""
        where = self.select.where
        if where is None:
            return None, None
        parts = where.conditions if isinstance(where, And) else (where,)
        own = [part for part in parts if not self.select.joins or tables_in(part) <= {self.select.alias}]
        rest = [part for part in parts if part not in own]
        compiled = [self.where.compile(And(tuple(some))) if some else None for some in (own, rest)]
        return compiled[0], compiled[1]

    def _join(self, join: Join) -> list[Stage]:
        near, far = (join.left, join.right) if join.right.table == join.alias else (join.right, join.left)
        if far.table != join.alias:
            raise NotSupportedError(f"MongoDB backend: the join of {join.table} does not name one of its columns")
        place = _place(join.alias)
        lookup = {
            "from": join.table,
            "localField": self.expressions.scope.path(near),
            "foreignField": far.name,
            # NULL equals nothing in SQL; $lookup pairs nulls.
            "pipeline": [{"$match": {far.name: {"$ne": None}}}],
            "as": place,
        }
        unwind = {"path": f"${place}", "preserveNullAndEmptyArrays": join.kind == "LEFT"}
        return [{"$lookup": lookup}, {"$unwind": unwind}]

    def _is_own_column(self, node: Node) -> bool:
        return isinstance(node, Column) and node.table in {self.select.alias, None} and not self.inner

    def _sort_of(self, orders: list[Order]) -> dict[str, int]:
        keys: dict[str, int] = {}
        for order in orders:
            if isinstance(order.node, Column):
                keys.setdefault(self.expressions.scope.path(order.node), -1 if order.descending else 1)
        return keys

    def _sort_keys(self, items: list[Node], orders: list[Order], names: dict[str, Any]) -> dict[str, int]:
        """What to sort the projected documents by; adds to `names` what they do not hold yet."""
        keys: dict[str, int] = {}
        for order in orders:
            if order.node in items:
                name = f"c{items.index(order.node)}"
            elif self.select.distinct:
                raise NotSupportedError("MongoDB backend: DISTINCT ordered by something that is not selected")
            else:
                name = f"o{len(keys)}"
                names[name] = self.expressions.compile(order.node)
            keys.setdefault(name, -1 if order.descending else 1)
        return keys

    def _slice(self) -> list[Stage]:
        stages: list[Stage] = [{"$skip": self.select.offset}] if self.select.offset else []
        if self.select.limit is not None:
            stages.append({"$limit": self.select.limit})
        return stages


def _place(alias: str) -> str:
    """The key under which a joined document lies; no column of Django's can have a colon."""
    return f"join:{alias}"


def _reader(items: list[Node], names: Sequence[str | None]) -> Callable[[dict[str, Any]], Row]:
    if all(names):
        return lambda document: tuple(map(document.get, names))  # type: ignore[arg-type]
    constants = [node.value if isinstance(node, Value) else None for node in items]
    return lambda document: tuple(
        document.get(name) if name else value for name, value in zip(names, constants, strict=True)
    )


def _distinct(names: list[str]) -> list[Stage]:
    key = {name: {"$ifNull": [f"${name}", None]} for name in names}
    return [{"$group": {"_id": key}}, {"$replaceWith": "$_id"}]


def tables_in(node: Any) -> set[str | None]:
    """The tables that a condition mentions, subqueries aside."""
    match node:
        case Column(table):
            return {table}
        case And(parts) | Or(parts):
            return set().union(*map(tables_in, parts))
        case Not(part):
            return tables_in(part)
        case Call(_, arguments):
            return set().union(*map(tables_in, arguments))
        case None | Value():
            return set()
    found: set[str | None] = set()
    for name in ("left", "right", "subject"):
        found |= tables_in(getattr(node, name, None))
    return found
