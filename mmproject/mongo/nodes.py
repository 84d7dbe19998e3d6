"""The tree of one parsed statement: the SQL that Django writes, and nothing more."""

from dataclasses import dataclass, field
from typing import Any

# --- values -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """`"table"."name"`, or `"name"` alone, which may also be an alias of the select list."""

    table: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """The n-th `%s`. Two occurrences are never equal: see `bind`."""

    index: int


@dataclass(frozen=True, slots=True)
class Value:
    """A constant."""

    value: Any

    def __eq__(self, other: object) -> bool:
        # 1 == True == 1.0 in Python, not in SQL.
        return isinstance(other, Value) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash(repr(self.value))


@dataclass(frozen=True, slots=True)
class Call:
    """`NAME(arguments)`; an aggregate, too. `COUNT(*)` has no arguments."""

    name: str
    arguments: tuple["Node", ...]
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str
    left: "Node"
    right: "Node"


# --- conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Match:
    """`subject LIKE pattern`, `iLIKE`, `REGEX` or `IREGEX`."""

    kind: str
    subject: "Node"
    pattern: "Node"


@dataclass(frozen=True, slots=True)
class IsNull:
    subject: "Node"


@dataclass(frozen=True, slots=True)
class In:
    subject: "Node"
    choices: "tuple[Node, ...] | Select"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Node"


@dataclass(frozen=True, slots=True)
class And:
    conditions: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    conditions: tuple["Node", ...]


Node = Column | Param | Value | Call | Arithmetic | Compare | Match | IsNull | In | Not | And | Or

# --- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the select list."""

    node: Node
    alias: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """`kind` is INNER or LEFT; the condition is `left = right`, one column each."""

    kind: str
    table: str
    alias: str
    left: Column
    right: Column


@dataclass(frozen=True, slots=True)
class Order:
    node: Node
    descending: bool


@dataclass(frozen=True, slots=True)
class Select:
    items: tuple[Item, ...]
    source: "str | Select"
    alias: str
    distinct: bool = False
    joins: tuple[Join, ...] = ()
    where: Node | None = None
    group: tuple[Node, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    table: str
    assignments: tuple[tuple[str, Node], ...]
    where: Node | None


@dataclass(frozen=True, slots=True)
class Delete:
    table: str
    where: Node | None


@dataclass(frozen=True, slots=True)
class Insert:
    """`rows` hold values, not nodes; DEFAULT columns are left out of a row."""

    table: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    returning: tuple[str, ...] = ()


def tables_of(statement: Select | Update | Delete) -> set[str]:
    """The collections that a statement reads or writes, subqueries of its condition aside."""
    if not isinstance(statement, Select):
        return {statement.table}
    source = {statement.source} if isinstance(statement.source, str) else tables_of(statement.source)
    return source | {join.table for join in statement.joins}


def bind(node: Node, params: tuple[Any, ...]) -> Node:
    """`node` with each `Param` replaced by its value, so that equal expressions compare equal."""
    match node:
        case Param(index):
            return Value(params[index])
        case Call(name, arguments, distinct):
            return Call(name, tuple(bind(argument, params) for argument in arguments), distinct)
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, bind(left, params), bind(right, params))
    return node
