"""Users and groups in the admin: nobody gives, or takes over, what he does not have."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from mmproject.roles import PERMISSIONS, make_groups

FORM = {"username": "annotator", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}


def change(client, user: User, **fields):
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), FORM | {"username": user.username} | fields)


@pytest.fixture
def administrator(sign_in):
    return sign_in("administrator")


@pytest.fixture
def power(person) -> Group:
    """A group of more than the five roles."""
    person("nobody")
    group = Group.objects.create(name="power")
    group.permissions.add(Permission.objects.get(codename="delete_source"))
    return group


@pytest.mark.parametrize("role", list(PERMISSIONS))
def test_an_administrator_gives_the_five_roles(administrator, person, role):
    user = person("nobody")
    answer = change(administrator, user, groups=[Group.objects.get(name=role).pk])
    assert answer.status_code == 302, answer.content.decode()
    assert [group.name for group in user.groups.all()] == [role]
    assert change(administrator, user).status_code == 302
    assert not user.groups.exists()


def test_an_administrator_gives_no_other_group(administrator, person, power):
    user = person("annotator")
    page = administrator.get(reverse("admin:auth_user_change", args=[user.pk])).content.decode()
    assert ">power<" not in page
    assert change(administrator, user, groups=[power.pk]).status_code == 200
    assert power not in user.groups.all()


def test_an_administrator_gives_no_permission_by_himself(administrator, person):
    permission = Permission.objects.get(codename="delete_source")
    for user in (person("annotator"), person("administrator")):
        kept = [group.pk for group in user.groups.all()]
        answer = change(
            administrator, user, groups=kept, user_permissions=[permission.pk], is_superuser="on", is_staff="on"
        )
        assert answer.status_code == 302
        user.refresh_from_db()
        assert not user.is_superuser
        assert not user.user_permissions.exists()


def test_a_group_is_changed_by_superusers_only(administrator, sign_in):
    group = Group.objects.get(name="administrator")
    before = group.permissions.count()
    url = reverse("admin:auth_group_change", args=[group.pk])
    everything = {"name": "administrator", "permissions": list(Permission.objects.values_list("pk", flat=True))}
    assert administrator.get(url).status_code == 200
    assert administrator.post(url, everything).status_code == 403
    assert administrator.post(reverse("admin:auth_group_add"), {"name": "mine"}).status_code == 403
    assert administrator.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    administrator.post(reverse("admin:auth_group_changelist"), action)
    assert group.permissions.count() == before
    assert sign_in("superuser").post(url, everything).status_code == 302


def test_even_who_holds_the_permission_does_not_change_a_group(sign_in, person):
    user = person("administrator")
    user.user_permissions.add(Permission.objects.get(codename="change_group"))
    group = Group.objects.get(name="annotator")
    answer = sign_in("administrator").post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("by", ["group", "permission", "superuser"])
def test_an_account_that_may_do_more_cannot_be_taken_over(administrator, person, power, by, active):
    user = person("annotator")
    if by == "group":
        user.groups.add(power)
    elif by == "permission":
        user.user_permissions.add(Permission.objects.get(codename="delete_source"))
    user.is_superuser, user.is_active = by == "superuser", active
    user.save()
    password = {"password1": "taken-over-42", "password2": "taken-over-42", "usable_password": "true"}
    answer = administrator.post(reverse("admin:auth_user_password_change", args=[user.pk]), password)
    assert answer.status_code == 403
    assert change(administrator, user, is_staff="on").status_code == 403
    action = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    administrator.post(reverse("admin:auth_user_changelist"), action)
    assert User.objects.get(pk=user.pk).password == user.password


def test_another_group_that_holds_nothing_more_is_kept(administrator, person):
    user = person("annotator")
    team = Group.objects.create(name="team")
    user.groups.add(team)
    assert change(administrator, user, groups=[Group.objects.get(name="evaluator").pk]).status_code == 302
    assert {group.name for group in user.groups.all()} == {"team", "evaluator"}


@pytest.mark.parametrize("role", ["reviewer", "operator"])
def test_other_staff_cannot_make_themselves_administrators(sign_in, person, role):
    user = person(role)
    group = Group.objects.get(name="administrator")
    client = sign_in(role)
    assert change(client, user, groups=[group.pk], is_superuser="on").status_code == 403
    assert client.post(reverse("admin:auth_group_change", args=[group.pk]), {}).status_code == 403
    user = User.objects.get(pk=user.pk)
    assert (user.is_superuser, group in user.groups.all()) == (False, False)


def test_a_group_that_was_changed_is_itself_again_after_a_migration(person):
    person("annotator")
    group = Group.objects.get(name="administrator")
    group.permissions.add(Permission.objects.get(codename="change_group"))
    make_groups(using="default")
    assert not group.permissions.filter(codename="change_group").exists()
