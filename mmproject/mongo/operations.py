"""The SQL that Django may write for this backend, and the conversion of values on the way in and out."""

import datetime
import json
import uuid
from decimal import Decimal
from typing import Any, NoReturn

from bson import DBRef, Decimal128
from django.conf import settings
from django.core.management.color import Style
from django.db import NotSupportedError
from django.db.backends.utils import format_number
from django.db.models import Field
from django.db.models.expressions import BaseExpression
from djongo.operations import DatabaseOperations as DjongoOperations

TEXT_TYPES = {
    *("CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField", "FilePathField", "UUIDField"),
    *("GenericIPAddressField", "IPAddressField", "CommaSeparatedIntegerField"),
}
INTEGER_TYPES = {
    *("AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField"),
    *("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"),
}
PATTERN_LOOKUPS = {
    *("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex"),
}
TIME_DAY = datetime.date(1900, 1, 1)  # BSON has no time of day: djongo keeps one as an instant of this day
TRUNCATIONS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}

Sql = tuple[str, tuple[Any, ...]]


class DatabaseOperations(DjongoOperations):
    compiler_module = "mmproject.mongo.compiler"

    # --- SQL text ---

    def bulk_insert_sql(self, fields: Any, placeholder_rows: Any) -> str:
        return "VALUES " + ", ".join(f"({', '.join(row)})" for row in placeholder_rows)

    def return_insert_columns(self, fields: list[Field]) -> Sql:
        return "RETURNING " + ", ".join(self.quote_name(field.column) for field in fields), ()

    def fetch_returned_insert_columns(self, cursor: Any, returning_params: Any) -> Any:
        return cursor.fetchone()

    def fetch_returned_insert_rows(self, cursor: Any) -> Any:
        return cursor.fetchall()

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        """Patterns are for text; a whole number is matched by its digits. The rest would silently match nothing."""
        if lookup_type not in PATTERN_LOOKUPS or internal_type is None or internal_type in TEXT_TYPES:
            return "%s"
        if internal_type in INTEGER_TYPES:
            return "CAST(%s AS TEXT)"
        raise NotSupportedError(f"MongoDB backend cannot express {lookup_type} on a {internal_type}")

    def random_function_sql(self) -> NoReturn:
        raise NotSupportedError("MongoDB backend cannot express order_by('?') or Random()")

    def regex_lookup(self, lookup_type: str) -> str:
        return "%s REGEX %s" if lookup_type == "regex" else "%s IREGEX %s"

    def date_extract_sql(self, lookup_type: str, sql: str, params: Any) -> Sql:
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def datetime_extract_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> Sql:
        return f"EXTRACT(%s, {sql}, %s)", (lookup_type, *params, tzname)

    def time_extract_sql(self, lookup_type: str, sql: str, params: Any) -> Sql:
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def date_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> Sql:
        return self.datetime_trunc_sql(lookup_type, sql, params, tzname)

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> Sql:
        if lookup_type not in TRUNCATIONS:
            raise NotSupportedError(f"MongoDB backend cannot truncate to {lookup_type}")
        return f"DATE_TRUNC(%s, {sql}, %s)", (lookup_type, *params, tzname)

    def datetime_cast_date_sql(self, sql: str, params: Any, tzname: str | None) -> Sql:
        return self.datetime_trunc_sql("day", sql, params, tzname)

    def datetime_cast_time_sql(self, sql: str, params: Any, tzname: str | None) -> NoReturn:
        raise NotSupportedError("MongoDB backend cannot express __time or TruncTime")

    def time_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> NoReturn:
        raise NotSupportedError("MongoDB backend cannot truncate a time of day")

    def date_interval_sql(self, timedelta: Any) -> NoReturn:
        raise NotSupportedError("MongoDB backend cannot express date arithmetic: compute the moment in Python")

    format_for_duration_arithmetic = date_interval_sql

    def sql_flush(
        self, style: Style, tables: list[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        statements = [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608 — names from models
        if reset_sequences:
            statements += [
                f'UPDATE "__schema__" SET "auto.seq" = 0 WHERE "name" = \'{table}\' AND "auto" IS NOT NULL'  # noqa: S608
                for table in tables
            ]
        return statements

    # --- values on the way in ---

    def adapt_datefield_value(self, value: datetime.date | None) -> datetime.datetime | None:
        return None if value is None else datetime.datetime.combine(value, datetime.time.min)

    def adapt_datetimefield_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression") or value.tzinfo is None:
            return value
        if not settings.USE_TZ:
            raise ValueError("The MongoDB backend takes no aware datetime while USE_TZ is off")
        return value.astimezone(datetime.UTC).replace(tzinfo=None)

    def adapt_timefield_value(self, value: datetime.time | None) -> datetime.datetime | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("The MongoDB backend takes no aware time")
        return None if value is None else datetime.datetime.combine(TIME_DAY, value)

    def adapt_decimalfield_value(
        self, value: Decimal | None, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Decimal128 | None:
        text = format_number(value, max_digits, decimal_places)
        return None if text is None else Decimal128(text)

    def adapt_json_value(self, value: Any, encoder: Any) -> Any:
        """Through JSON and back: the same value comes out of every engine, whatever encoder or key type it had."""
        return None if value is None else json.loads(json.dumps(value, cls=encoder))

    # --- and on the way out ---

    def get_db_converters(self, expression: BaseExpression) -> list[Any]:
        return CONVERTERS.get(expression.output_field.get_internal_type(), [])


def to_datetime(value: Any, expression: Any, connection: Any) -> Any:
    if isinstance(value, datetime.datetime) and settings.USE_TZ:
        return value.replace(tzinfo=datetime.UTC)
    return value


def to_date(value: Any, expression: Any, connection: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def to_time(value: Any, expression: Any, connection: Any) -> Any:
    return value.time() if isinstance(value, datetime.datetime) else value


def to_decimal(value: Any, expression: Any, connection: Any) -> Any:
    return value.to_decimal() if isinstance(value, Decimal128) else value


def to_float(value: Any, expression: Any, connection: Any) -> Any:
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    return None if value is None else float(value)


def to_uuid(value: Any, expression: Any, connection: Any) -> Any:
    return None if value is None else uuid.UUID(value)


def to_json(value: Any, expression: Any, connection: Any) -> Any:
    """The driver reads any object with a key "$ref" as a DBRef: make it the object it was."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict):
        return {key: to_json(inner, expression, connection) for key, inner in value.items()}
    if isinstance(value, list):
        return [to_json(inner, expression, connection) for inner in value]
    return value


CONVERTERS = {
    "DateTimeField": [to_datetime],
    "DateField": [to_date],
    "TimeField": [to_time],
    "DecimalField": [to_decimal],
    "FloatField": [to_float],
    "JSONField": [to_json],
    "UUIDField": [to_uuid],
}
