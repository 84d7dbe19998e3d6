"""The tests' own models, installed for a while, with their tables on Mongo and on a SQLite twin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.test.utils import override_settings

MONGO, TWIN = "mongo", "twin"
APP = "tests.mmproject.mongo.app"


class Router:
    """Sends the models of the tests to `current`, one after the other, and leaves the others alone."""

    current = MONGO

    def db_for_read(self, model, **hints):
        return Router.current if model._meta.app_label == "probe" else None

    db_for_write = db_for_read

    def allow_relation(self, obj1, obj2, **hints):
        return True if obj1._meta.app_label == obj2._meta.app_label == "probe" else None


@contextmanager
def at(alias: str) -> Iterator[None]:
    """Within it the models of the tests mean the tables on that connection."""
    before, Router.current = Router.current, alias
    try:
        yield
    finally:
        Router.current = before


@contextmanager
def installed(*aliases: str) -> Iterator[None]:
    """The app is installed and its tables are there, empty, on these connections; dropped at the end."""
    with override_settings(
        INSTALLED_APPS=[*settings.INSTALLED_APPS, APP],
        DATABASE_ROUTERS=["tests.mmproject.mongo.worlds.Router", *settings.DATABASE_ROUTERS],
    ):
        from tests.mmproject.mongo.app.models import MODELS

        for alias in aliases:
            _drop(alias, MODELS)
            with connections[alias].schema_editor() as editor:
                for model in MODELS:
                    editor.create_model(model)
        try:
            yield
        finally:
            for alias in aliases:
                _drop(alias, MODELS)


def _drop(alias, models):
    connection = connections[alias]
    there = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in reversed(models):
            if model._meta.db_table in there:
                editor.delete_model(model)


@contextmanager
def twin(folder: Path) -> Iterator[None]:
    """A connection `twin` to a new SQLite database."""
    connections.settings[TWIN] = {
        **connections.settings[next(iter(connections.settings))],
        "ENGINE": "tests.mmproject.mongo.twin",
        "NAME": str(folder / "twin.sqlite3"),
        "OPTIONS": {},
    }
    try:
        yield
    finally:
        connections[TWIN].close()
        del connections[TWIN], connections.settings[TWIN]
