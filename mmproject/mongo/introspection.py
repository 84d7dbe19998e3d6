"""What lies in the database: collections and their indexes. djongo's, less MongoDB's own collections."""

from typing import Any

from django.db.backends.base.introspection import TableInfo
from djongo.introspection import DatabaseIntrospection as DjongoIntrospection

from mmproject.mongo.inserts import COUNTERS


class DatabaseIntrospection(DjongoIntrospection):
    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        names = cursor.db_conn.list_collection_names(filter={"type": "collection"})
        return [TableInfo(name, "t") for name in names if name != COUNTERS and not name.startswith("system.")]
