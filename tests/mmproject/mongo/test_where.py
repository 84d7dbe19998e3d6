"""Conditions: the filter of a random SQL text finds the rows for which a naive three-valued evaluator says TRUE."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import NotSupportedError, connections
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmproject.mongo.expressions import Expressions, Scope
from mmproject.mongo.inserts import parse_insert
from mmproject.mongo.nodes import And, Column, Compare, Not, Or, Param
from mmproject.mongo.parser import parse
from mmproject.mongo.where import Where, like_to_regex

TRUE, FALSE, UNKNOWN = True, False, None
NUMBERS = [None, -1, 0, 1, 1.5]
TEXTS = [None, "", "a", "A", "a%", "a_b", "b\n", "橙", "\\", "a\x00"]
DOCUMENTS = [
    {"_id": (n, t), "n": a, "m": b, "t": c}
    for n, a in enumerate(NUMBERS)
    for t, (b, c) in enumerate([(b, c) for b in NUMBERS for c in TEXTS])
]

Evaluate = Callable[[dict[str, Any]], bool | None]


class Condition(NamedTuple):
    """A condition as text, as parameters, and as what it says of a row."""

    sql: str
    params: tuple[Any, ...]
    evaluate: Evaluate


def negation(part: Condition) -> Condition:
    def evaluate(row):
        value = part.evaluate(row)
        return None if value is None else not value

    return Condition(f"NOT ({part.sql})", part.params, evaluate)


def joined(word: str, parts: list[Condition]) -> Condition:
    decided = word == "OR"  # one TRUE decides an OR, one FALSE an AND

    def evaluate(row):
        values = [part.evaluate(row) for part in parts]
        if decided in values:
            return decided
        return None if None in values else not decided

    sql = "(" + f" {word} ".join(part.sql for part in parts) + ")"
    return Condition(sql, tuple(param for part in parts for param in part.params), evaluate)


COMPARE = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compared(column: str, operator: str, value: Any) -> Condition:
    return Condition(
        f'"x"."{column}" {operator} %s',
        (value,),
        lambda row: None if row[column] is None or value is None else COMPARE[operator](row[column], value),
    )


def columns(operator: str) -> Condition:
    return Condition(
        f'"x"."n" {operator} ("x"."m" + %s)',
        (1,),
        lambda row: None if None in (row["n"], row["m"]) else COMPARE[operator](row["n"], row["m"] + 1),
    )


def among(column: str, values: list[Any]) -> Condition:
    def evaluate(row):
        if row[column] is None:
            return None
        if row[column] in [value for value in values if value is not None]:
            return True
        return None if None in values else False

    return Condition(f'"x"."{column}" IN ({", ".join(["%s"] * len(values))})', tuple(values), evaluate)


def like(text: str) -> Condition:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Condition('"x"."t" LIKE %s', (f"%{escaped}%",), lambda row: None if row["t"] is None else text in row["t"])


def null(column: str, negated: bool) -> Condition:
    sql = f'"x"."{column}" IS {"NOT " if negated else ""}NULL'
    return Condition(sql, (), lambda row: (row[column] is None) != negated)


def between(low: Any, high: Any) -> Condition:
    parts = [compared("n", ">=", low), compared("n", "<=", high)]
    return Condition('"x"."n" BETWEEN %s AND %s', (low, high), joined("AND", parts).evaluate)


numbers, texts, operators = st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.sampled_from(list(COMPARE))
leaves = st.one_of(
    st.builds(compared, st.sampled_from(["n", "m"]), operators, numbers),
    st.builds(compared, st.just("t"), operators, texts),
    st.builds(columns, operators),
    st.builds(among, st.just("n"), st.lists(numbers, min_size=1, max_size=3)),
    st.builds(among, st.just("t"), st.lists(texts, min_size=1, max_size=3)),
    st.builds(like, st.one_of(texts.filter(lambda text: text is not None), st.text(max_size=3))),
    st.builds(null, st.sampled_from(["n", "m", "t"]), st.booleans()),
    st.builds(between, numbers, numbers),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(negation, inner),
        st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


def filter_of(sql: str, params: tuple[Any, ...] = ()) -> dict[str, Any]:
    statement = parse(f'DELETE FROM "x" WHERE {sql}')
    return Where(Expressions(Scope({"x": ""}), params), lambda subquery: []).compile(statement.where)


@pytest.fixture
def documents(transactional_db):
    connections["mongo"].ensure_connection()
    collection = connections["mongo"].connection["where_probe"]
    collection.drop()
    collection.insert_many({**row, "_id": next(iter(row["_id"])) * 1000 + list(row["_id"])[1]} for row in DOCUMENTS)
    yield collection
    collection.drop()


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
def test_a_filter_finds_what_is_true(documents):
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(condition=conditions)
    @example(condition=negation(among("n", [1, None])))
    @example(condition=negation(joined("AND", [compared("n", "=", 1), columns("<")])))
    def check(condition):
        found = {document["_id"] for document in documents.find(filter_of(condition.sql, condition.params))}
        rows = {row["_id"][0] * 1000 + row["_id"][1] for row in DOCUMENTS if condition.evaluate(row) is TRUE}
        assert found == rows, condition.sql

    check()


def test_not_binds_tighter_than_and_and_and_tighter_than_or():
    n = Column(None, "n")
    statement = parse('DELETE FROM "x" WHERE NOT "n" = %s AND "n" < %s OR "n" > %s')
    assert statement.where == Or(
        (And((Not(Compare("=", n, Param(0))), Compare("<", n, Param(1)))), Compare(">", n, Param(2)))
    )


@pytest.mark.parametrize(
    "sql",
    [
        '"n" = (SELECT "n" FROM "x")',
        'EXISTS(SELECT 1 FROM "x")',
        '"n" LIKE "t"',
        '"n" = %s ORDER',
        '"n" = ',
        '("n", "m") IN ((1, 2))',
        '"n" ~ 1',
        '"n" IS TRUE',
        "CASE WHEN 1 THEN 2 END = 2",
        '"n" = 1; DROP TABLE x',
        '"y"."n" = 1',
        "UPPER(n) = 1",
    ],
)
def test_what_the_parser_does_not_know_is_refused(sql):
    with pytest.raises(NotSupportedError):
        filter_of(sql)


def test_a_false_comparison_is_no_nor():
    """`$nor` would find the rows whose comparison is NULL."""
    assert filter_of('NOT ("n" = 1)') == {"n": {"$nin": [1, None]}}
    assert filter_of('NOT ("n" < 1)') == {"n": {"$gte": 1}}


@pytest.mark.parametrize(
    ("pattern", "regex"),
    [
        ("abc", r"\Aabc\z"),
        ("abc%", r"\Aabc"),
        ("%abc", r"abc\z"),
        ("%a.c%", r"a\.c"),
        ("%", ""),
        ("%%", ""),
        ("", r"\A\z"),
        (r"a\%", r"\Aa\%\z"),
        ("a_c", r"\Aa.c\z"),
        ("\\\\", r"\A\\\z"),
        ("%\x00%", r"\x00"),
    ],
)
def test_a_like_pattern_as_a_regular_expression(pattern, regex):
    assert like_to_regex(pattern) == regex


def test_an_insert_takes_values_alone():
    insert = parse_insert('INSERT INTO "x" ("a", "b") VALUES (%s, NULL), (DEFAULT, %s) RETURNING "a"', (1, "), ("))
    assert (insert.table, insert.rows, insert.returning) == ("x", [{"a": 1, "b": None}, {"b": "), ("}], ("a",))
    with pytest.raises(NotSupportedError):
        parse_insert('INSERT INTO "x" ("a") VALUES (UPPER(%s))', ("a",))
    with pytest.raises(NotSupportedError):
        parse_insert('INSERT INTO "x" ("a") SELECT "b" FROM "y"', ())
