from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    """Carries the project's own commands, roles and template tags."""

    name = "mmproject"

    def ready(self) -> None:
        from mmproject.roles import make_groups

        # After the last app: by then every permission exists.
        post_migrate.connect(make_groups, sender=apps.get_app_config("evaluation"), dispatch_uid="roles")
