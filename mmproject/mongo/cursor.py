"""The DB-API cursor: one statement in, rows out."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import NotSupportedError
from djongo.cursor import Cursor as DjongoCursor
from djongo.database import ProgrammingError
from pymongo.database import Database

from mmproject.mongo.errors import translated
from mmproject.mongo.inserts import insert, parse_insert
from mmproject.mongo.nodes import Delete, Select, tables_of
from mmproject.mongo.parser import parse
from mmproject.mongo.select import Row, rows
from mmproject.mongo.updates import delete, update


class Cursor(DjongoCursor):
    """Runs what Django's compilers write. `db_conn` is the pymongo database, as in djongo."""

    db_conn: Database

    def __init__(self, client_conn: Any, db_conn: Database, connection_properties: Any) -> None:
        super().__init__(client_conn, db_conn, connection_properties)
        self._rows: Iterator[Row] = iter(())
        self._rowcount = -1

    def execute(self, sql: str, params: Any = None) -> None:
        """Run one statement.

        Raises NotSupportedError naming what MongoDB cannot express; IntegrityError for a duplicate key;
        OperationalError when no server answers.
        """
        values = tuple(params or ())
        self._rows, self._rowcount = iter(()), -1
        with translated():
            if sql.startswith("INSERT "):
                inserted = parse_insert(sql, values)
                self._check_exists(inserted.table)
                answer = insert(self.db_conn, inserted)
                self._rows, self._rowcount = iter(answer), len(answer)
                return
            statement = parse(sql)
            for table in tables_of(statement):
                self._check_exists(table)
            if isinstance(statement, Select):
                self._rows = rows(self.db_conn, statement, values)
            elif isinstance(statement, Delete):
                self._rowcount = delete(self.db_conn, statement, values)
            else:
                self._rowcount = update(self.db_conn, statement, values)

    def _check_exists(self, table: str) -> None:
        """MongoDB makes a collection when it is first written to: without its unique indexes, and without a word."""
        if table not in self.connection_properties.cached_collections:
            raise ProgrammingError(f"There is no collection {table!r} in {self.db_conn.name!r}: run `migrate`")

    def executemany(self, sql: str, param_list: Any) -> None:
        raise NotSupportedError("MongoDB backend cannot express executemany()")

    @property
    def rowcount(self) -> int:
        """Documents matched or written; -1 for a SELECT, whose rows are counted by reading them."""
        return self._rowcount

    @property
    def lastrowid(self) -> None:
        return None  # Django reads generated keys from RETURNING

    def fetchone(self) -> Row | None:
        with translated():
            return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Row]:
        with translated():
            return list(islice(self._rows, size))

    def fetchall(self) -> list[Row]:
        with translated():
            return list(self._rows)

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row

    def close(self) -> None:
        """Ends the reading: the generator closes the server's cursor."""
        if close := getattr(self._rows, "close", None):
            close()
        self._rows = iter(())
