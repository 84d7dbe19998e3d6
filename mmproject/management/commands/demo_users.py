"""Users to try the project with: one for each role, with the passwords that the state folder keeps."""

import os
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from mmproject import roles
from mmproject.stack.secrets import password_variable

# user name: (groups, may open the admin, superuser)
DEMO_USERS: dict[str, tuple[list[str], bool, bool]] = {
    "annotator": ([roles.ANNOTATOR], False, False),
    "evaluator": ([roles.EVALUATOR], False, False),
    "reviewer": ([roles.REVIEWER], True, False),
    "operator": ([roles.OPERATOR], True, False),
    "admin": ([], True, True),
}


class Command(BaseCommand):
    help = "Create the demo users, each with the password in DEMO_<NAME>_PASSWORD. Users that exist stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, (groups, is_staff, is_superuser) in DEMO_USERS.items():
            if User.objects.filter(username=name).exists():
                continue
            password = os.environ.get(password_variable(name))
            if not password:
                raise CommandError(f"{password_variable(name)} is not set: demo users get no default password")
            user = User(username=name, is_staff=is_staff, is_superuser=is_superuser)
            user.set_password(password)
            user.save()
            user.groups.set(Group.objects.filter(name__in=groups))
            self.stdout.write(f"created {name}")
