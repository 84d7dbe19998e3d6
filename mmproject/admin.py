"""Users in the admin: nobody gives what he does not have.

Django's own page lets whoever may change users make anyone a superuser (as in CVE-2026-23526 of another tool).
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.authtoken.models import TokenProxy

admin.site.unregister(User)
admin.site.unregister(TokenProxy)  # it lists everybody's tokens, which are as good as passwords


@admin.register(User)
class SafeUserAdmin(UserAdmin):
    """Only superusers see superusers' accounts as theirs to change, or hand out single permissions."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        hidden = {"is_superuser", "user_permissions"}
        return [
            (title, options | {"fields": tuple(field for field in options["fields"] if field not in hidden)})
            for title, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        theirs = obj is None or request.user.is_superuser or not obj.is_superuser
        return theirs and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        theirs = obj is None or request.user.is_superuser or not obj.is_superuser
        return theirs and super().has_delete_permission(request, obj)
