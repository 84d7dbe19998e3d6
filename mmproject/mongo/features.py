"""What this backend can do, as Django asks it."""

from djongo.features import DatabaseFeatures as DjongoFeatures


class DatabaseFeatures(DjongoFeatures):
    minimum_database_version = (5, 0)  # $dateTrunc, $getField, dots and dollars in keys

    supports_transactions = False
    uses_savepoints = False
    has_select_for_update = False
    supports_foreign_keys = False
    supports_table_check_constraints = False
    supports_column_check_constraints = False
    can_clone_databases = False
    test_db_allows_multiple_connections = True

    has_bulk_insert = True
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    supports_ignore_conflicts = False
    supports_update_conflicts = False
    has_native_uuid_field = False

    supports_timezones = False  # instants are stored as naive UTC
    supports_temporal_subtraction = False

    allows_group_by_selected_pks = False
    supports_aggregate_filter_clause = False
    supports_over_clause = False
    supports_order_by_nulls_modifier = False
    order_by_nulls_first = True
    supports_boolean_expr_in_select_clause = False
    supports_select_union = False
    supports_select_intersection = False
    supports_select_difference = False
    supports_tuple_lookups = False

    supports_json_field = True
    has_native_json_field = True
    supports_json_field_contains = False
    supports_primitives_in_json_field = True

    supports_expression_indexes = False
    supports_partial_indexes = False
    supports_covering_indexes = False
    supports_nulls_distinct_unique_constraints = False
    supports_index_column_ordering = True
    supports_comments = False
    supports_expression_defaults = False
    supports_stored_generated_columns = False
    supports_virtual_generated_columns = False
