"""The test database: MongoDB makes one when it is first written to, so there is only an old one to drop."""

import sys
from typing import Any, NoReturn

from django.db import NotSupportedError
from djongo.creation import DatabaseCreation as DjongoCreation

from mmproject.mongo.client import client_for, properties_of
from mmproject.mongo.errors import translated


class DatabaseCreation(DjongoCreation):
    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name = self._get_test_db_name()
        with translated():
            if not keepdb and self._client()[name].list_collection_names():
                if not autoclobber and input(f"The database {name!r} is not empty. Type 'yes' to drop it: ") != "yes":
                    sys.exit("Tests cancelled.")
                self._drop(name)
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        with translated():
            self._drop(test_database_name)

    def _drop(self, name: str) -> None:
        self._client().drop_database(name)
        properties_of(self._client()[name]).cached_collections.clear()

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> NoReturn:
        raise NotSupportedError("MongoDB backend does not clone a test database: run the tests in one process")

    def _client(self) -> Any:
        return client_for(self.connection.get_client_options())
