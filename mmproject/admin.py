"""Users and groups in the admin: nobody gives, or takes over, what he does not have.

Django's own page lets whoever may change users make anyone a superuser (as in CVE-2026-23526 of another tool), hand out
any permission by way of a group, and set the password of accounts that may do more than his own.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField, Q
from django.http import HttpRequest
from rest_framework.authtoken.models import TokenProxy

from mmproject.roles import PERMISSIONS

admin.site.unregister([User, Group])
admin.site.unregister(TokenProxy)  # it lists everybody's tokens, which are as good as passwords


def _is_within_reach(user: User, account: User) -> bool:
    """Whether `account` holds nothing that `user` does not hold, active or not."""
    if user.is_superuser:
        return True
    if account.is_superuser:
        return False
    # Not get_all_permissions(): of an account that is switched off, it says nothing at all.
    held = Permission.objects.filter(Q(user=account) | Q(group__user=account)).select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in held} <= user.get_all_permissions()


@admin.register(User)
class SafeUserAdmin(UserAdmin):
    """Only superusers change accounts that may do more than an administrator's, or hand out single permissions.

    An administrator puts people into the five roles and takes them out; other groups are superusers' to give.
    """

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        hidden = {"is_superuser", "user_permissions"}
        return [
            (title, options | {"fields": tuple(field for field in options["fields"] if field not in hidden)})
            for title, options in fieldsets
        ]

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups" and not request.user.is_superuser:
            kwargs["queryset"] = _roles()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        others = list(form.instance.groups.exclude(name__in=PERMISSIONS)) if change else []
        super().save_related(request, form, formsets, change)
        if not request.user.is_superuser:
            form.instance.groups.add(*others)  # not among the choices, so the form would take them away

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _is_within_reach(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or _is_within_reach(request.user, obj))


def _roles() -> Any:
    return Group.objects.filter(name__in=PERMISSIONS).order_by("name")


@admin.register(Group)
class SafeGroupAdmin(GroupAdmin):
    """To look at. Only superusers change a group, whatever permissions somebody was given."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
