"""The connection of one thread: djongo's wrapper over the process's one client."""

import os
from typing import Any

from djongo.base import DatabaseWrapper as DjongoWrapper
from pymongo.errors import PyMongoError

from mmproject.mongo.client import client_for, properties_of
from mmproject.mongo.creation import DatabaseCreation
from mmproject.mongo.cursor import Cursor
from mmproject.mongo.errors import translated
from mmproject.mongo.features import DatabaseFeatures
from mmproject.mongo.introspection import DatabaseIntrospection
from mmproject.mongo.operations import DatabaseOperations
from mmproject.mongo.schema import DatabaseSchemaEditor

# A pattern that comes from another column: the parser's "needs a constant" refuses it, as it refuses the rest.
_PATTERN_OF_COLUMN = "LIKE PATTERN({})"


class DatabaseWrapper(DjongoWrapper):
    display_name = "MongoDB (djongo)"
    data_types = {
        **DjongoWrapper.data_types,
        "JSONField": "object",
        "SmallAutoField": "int",
        "PositiveBigIntegerField": "long",
        "UUIDField": "string",
    }
    data_types_suffix = {**DjongoWrapper.data_types_suffix, "SmallAutoField": "AUTOINCREMENT"}
    operators = {**DjongoWrapper.operators, "regex": "REGEX %s", "iregex": "IREGEX %s"}
    pattern_esc = "{}"
    pattern_ops = dict.fromkeys(
        ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"), _PATTERN_OF_COLUMN
    )

    SchemaEditorClass = DatabaseSchemaEditor
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    connection: Any
    _connected_in: int | None = None

    def get_client_options(self) -> dict[str, Any]:
        """What the settings say about the client: the CLIENT of djongo's settings."""
        return dict(self.settings_dict.get("CLIENT") or {})

    def get_new_connection(self, connection_params: dict[str, Any]) -> Any:
        with translated():
            self.client_connection = client_for(self.get_client_options())
        database = self.client_connection[connection_params["name"]]
        self.djongo_connection = properties_of(database)
        self._connected_in = os.getpid()
        return database

    def init_connection_state(self) -> None:
        """Nothing: djongo would configure logging here, Django ask the server for its version each time."""

    def ensure_connection(self) -> None:
        """Connects; again after a fork, since the parent's client must not be used in a child."""
        if self._connected_in not in (None, os.getpid()):
            self.connection = None
        super().ensure_connection()

    def create_cursor(self, name: str | None = None) -> Cursor:
        return Cursor(self.client_connection, self.connection, self.djongo_connection)

    def get_database_version(self) -> tuple[int, ...]:
        with self.wrap_database_errors, translated():
            self.ensure_connection()
            return tuple(self.client_connection.server_info()["versionArray"][:3])

    def is_usable(self) -> bool:
        try:
            self.connection.client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def _close(self) -> None:
        """The client stays: it is the process's, and other threads use it."""

    def _rollback(self) -> None:
        """Nothing to roll back: what was written is written. See docs/decisions/0001-mongo-through-djongo.md."""
