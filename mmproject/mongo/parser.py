"""SQL text to a tree. The dialect is what Django's compilers write for this backend; the rest is refused."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn, TypeVar

from django.db import NotSupportedError

from mmproject.mongo.nodes import (
    And,
    Arithmetic,
    Call,
    Column,
    Compare,
    Delete,
    In,
    IsNull,
    Item,
    Join,
    Match,
    Node,
    Not,
    Or,
    Order,
    Param,
    Select,
    Update,
    Value,
)

TOKEN = re.compile(
    r"""\s*(?:(?P<param>%s)|(?P<name>"[^"]*")|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<sign><=|>=|<>|!=|\|\||%%|[-=<>(),.*+/%^&\#|]))"""
)
COMPARISONS = {"=", "<>", "!=", "<", "<=", ">", ">="}
MATCHES = {"LIKE", "ILIKE", "REGEX", "IREGEX"}
# Words that start something this backend refuses, and what to call it in the message.
REFUSED = {
    "CASE": "CASE WHEN (Case, When, or an aggregate's filter=)",
    "EXISTS": "EXISTS (Exists, or exclude() over a many-valued relation)",
    "OVER": "OVER (Window)",
    "HAVING": "HAVING (a filter on an aggregate)",
    "UNION": "UNION",
    "INTERSECT": "INTERSECT",
    "EXCEPT": "EXCEPT",
    "SELECT": "a subquery used as a value (Subquery)",
    "FILTER": "FILTER (an aggregate's filter=)",
    "INTERVAL": "INTERVAL (date arithmetic)",
}
T = TypeVar("T")


def parse(sql: str) -> Select | Update | Delete:
    """The tree of a SELECT, UPDATE or DELETE.

    Raises NotSupportedError naming the construct that this backend cannot express.
    """
    # Long lists of parameters make texts that never come again: they would only push the others out.
    return _parse_kept(sql) if len(sql) < 10_000 else _Parser(sql).statement()


@lru_cache(maxsize=1024)
def _parse_kept(sql: str) -> Select | Update | Delete:
    return _Parser(sql).statement()


class _Parser:
    """Recursive descent; each method reads one production and leaves `at` behind it."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.params = 0
        end, text = 0, sql.rstrip()
        while end < len(text):
            found = TOKEN.match(text, end)
            if found is None or found.lastgroup is None:
                raise NotSupportedError(f"MongoDB backend: {text[end : end + 60]!r}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            end = found.end()

    # --- tokens ---

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        """Read this sequence of keywords if it comes next."""
        ahead = self.tokens[self.at : self.at + len(words)]
        if [text.upper() for kind, text in ahead if kind == "word"] != list(words):
            return False
        self.at += len(words)
        return True

    def sign(self, sign: str) -> bool:
        if self.peek() != ("sign", sign):
            return False
        self.at += 1
        return True

    def expect(self, accepted: bool) -> None:
        if not accepted:
            self.refuse()

    def refuse(self, what: str = "") -> NoReturn:
        kind, text = self.peek()
        what = what or (kind == "word" and REFUSED.get(text.upper())) or f"{text or 'end of statement'!r}"
        raise NotSupportedError(f"MongoDB backend cannot express {what} in: {self.sql[:300]}")

    def name(self) -> str:
        kind, text = self.next()
        if kind == "name":
            return text[1:-1]
        if kind != "word":
            self.at -= 1
            self.refuse()
        return text

    def listed(self, one: Callable[[], T]) -> tuple[T, ...]:
        found = [one()]
        while self.sign(","):
            found.append(one())
        return tuple(found)

    # --- statements ---

    def statement(self) -> Select | Update | Delete:
        tree: Select | Update | Delete
        if self.word("SELECT"):
            tree = self.select()
        elif self.word("UPDATE"):
            table = self.name()
            self.expect(self.word("SET"))
            tree = Update(table, self.listed(self.assignment), self.where())
        elif self.word("DELETE", "FROM"):
            tree = Delete(self.name(), self.where())
        else:
            self.refuse()
        if self.peek()[0] != "end":
            self.refuse()
        return tree

    def where(self) -> Node | None:
        return self.condition() if self.word("WHERE") else None

    def assignment(self) -> tuple[str, Node]:
        name = self.name()
        self.expect(self.sign("="))
        return name, self.condition()

    def select(self) -> Select:
        distinct = self.word("DISTINCT")
        items = self.listed(self.item)
        self.expect(self.word("FROM"))
        source: str | Select
        if self.sign("("):
            self.expect(self.word("SELECT"))
            source = self.select()
            self.expect(self.sign(")"))
            alias = self.name()
        else:
            source = alias = self.name()
            if self.peek()[0] == "name" or (self.peek()[0] == "word" and re.fullmatch(r"[A-Z]+\d+", self.peek()[1])):
                alias = self.name()
        joins = []
        while (inner := self.word("INNER", "JOIN")) or self.word("LEFT", "OUTER", "JOIN"):
            joins.append(self.join("INNER" if inner else "LEFT"))
        where = self.where()
        group = self.listed(self.condition) if self.word("GROUP", "BY") else ()
        order = self.listed(self.order) if self.word("ORDER", "BY") else ()
        limit = int(self.next()[1]) if self.word("LIMIT") else None
        offset = int(self.next()[1]) if self.word("OFFSET") else 0
        return Select(items, source, alias, distinct, tuple(joins), where, group, order, limit, offset)

    def item(self) -> Item:
        node = self.condition()
        return Item(node, self.name() if self.word("AS") else None)

    def join(self, kind: str) -> Join:
        table = alias = self.name()
        if not self.word("ON"):
            alias = self.name()
            self.expect(self.word("ON"))
        on = self.condition()
        if not (
            isinstance(on, Compare)
            and on.operator == "="
            and isinstance(on.left, Column)
            and isinstance(on.right, Column)
        ):
            self.refuse("a join on more than one pair of columns (FilteredRelation)")
        return Join(kind, table, alias, on.left, on.right)

    def order(self) -> Order:
        node = self.condition()
        if self.word("DESC"):
            return Order(node, True)
        self.word("ASC")
        if self.word("NULLS"):
            self.refuse("NULLS FIRST or NULLS LAST")
        return Order(node, False)

    # --- expressions, loosest binding first ---

    def condition(self) -> Node:
        parts = [self.conjunction()]
        while self.word("OR"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Node:
        parts = [self.negation()]
        while self.word("AND"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self) -> Node:
        return Not(self.negation()) if self.word("NOT") else self.predicate()

    def predicate(self) -> Node:
        left = self.sum()
        if self.word("IS"):
            negated = self.word("NOT")
            self.expect(self.word("NULL"))
            return Not(IsNull(left)) if negated else IsNull(left)
        negated = self.word("NOT")
        found: Node
        if self.word("IN"):
            found = In(left, self.choices())
        elif self.word("BETWEEN"):
            low = self.sum()
            self.expect(self.word("AND"))
            found = And((Compare(">=", left, low), Compare("<=", left, self.sum())))
        elif self.peek()[0] == "word" and self.peek()[1].upper() in MATCHES:
            found = Match(self.next()[1].upper(), left, self.sum())
        elif negated:
            self.refuse()
        elif self.peek()[0] == "sign" and self.peek()[1] in COMPARISONS:
            operator = self.next()[1]
            return Compare("<>" if operator == "!=" else operator, left, self.sum())
        else:
            return left
        return Not(found) if negated else found

    def choices(self) -> tuple[Node, ...] | Select:
        self.expect(self.sign("("))
        found = self.select() if self.word("SELECT") else self.listed(self.sum)
        self.expect(self.sign(")"))
        return found

    def sum(self) -> Node:
        node = self.product()
        while self.peek() in {("sign", "+"), ("sign", "-")}:
            node = Arithmetic(self.next()[1], node, self.product())
        return node

    def product(self) -> Node:
        node = self.primary()
        while self.sign("*"):
            node = Arithmetic("*", node, self.primary())
        if self.peek()[0] == "sign" and self.peek()[1] in {"/", "%%", "%", "||", "^", "&", "|", "#"}:
            self.refuse(f"the operator {self.peek()[1]}")
        return node

    def primary(self) -> Node:
        kind, text = self.peek()
        if kind == "word" and text.upper() in REFUSED:
            self.refuse()
        self.at += 1
        if kind == "param":
            self.params += 1
            return Param(self.params - 1)
        if kind == "number":
            return Value(float(text) if "." in text else int(text))
        if kind == "text":
            return Value(text[1:-1].replace("''", "'"))
        if kind == "sign" and text == "(":
            node = self.condition()
            self.expect(self.sign(")"))
            return node
        if kind == "name" or (kind == "word" and self.peek() == ("sign", ".")):
            name = text.strip('"')
            return Column(name, self.name()) if self.sign(".") else Column(None, name)
        if kind == "word" and self.sign("("):
            return self.call(text.upper())
        if kind == "word" and text.upper() in {"NULL", "TRUE", "FALSE"}:
            return Value({"NULL": None, "TRUE": True, "FALSE": False}[text.upper()])
        self.at -= 1
        return self.refuse()

    def call(self, name: str) -> Node:
        distinct = self.word("DISTINCT")
        arguments: tuple[Node, ...] = ()
        if not self.sign(")"):
            if not (name == "COUNT" and self.sign("*")):
                arguments = self.listed(self.condition)
            if name == "CAST" and self.word("AS"):
                arguments = (*arguments, Value(self.next()[1].upper()))
            self.expect(self.sign(")"))
        for word in ("OVER", "FILTER"):
            if self.peek() == ("word", word):
                self.refuse()
        return Call(name, arguments, distinct)
