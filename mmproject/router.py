"""Which database holds which app: people and sessions in `default`, the domain in `mongo`."""

from typing import Any

from django.db.models import Model

MONGO_APPS = frozenset({"crawler", "annotation", "evaluation"})


class DomainRouter:
    """Routes by app label; nothing points from one database into the other."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return "mongo" if model._meta.app_label in MONGO_APPS else "default"

    db_for_write = db_for_read

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        return (obj1._meta.app_label in MONGO_APPS) == (obj2._meta.app_label in MONGO_APPS)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "mongo") == (app_label in MONGO_APPS)
