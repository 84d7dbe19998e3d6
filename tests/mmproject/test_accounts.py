"""What somebody may: the same as Django's own backend says, by one query."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import connections
from django.test.utils import CaptureQueriesContext

from mmproject.accounts import OneQueryBackend
from mmproject.roles import PERMISSIONS


@pytest.mark.parametrize("role", ["nobody", *PERMISSIONS, "superuser"])
def test_it_is_what_django_says(person, role):
    user = person(role)
    user.user_permissions.add(Permission.objects.get(codename="view_crawl"))
    said = ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
    assert OneQueryBackend().get_all_permissions(User.objects.get(pk=user.pk)) == said
    assert "crawler.view_crawl" in said


def test_it_takes_one_query_however_often_it_is_asked(person):
    user = User.objects.get(pk=person("reviewer").pk)
    with CaptureQueriesContext(connections["default"]) as queries:
        assert user.has_perm("annotation.change_label")
        assert not user.has_perm("auth.add_user")
    assert len(queries) == 1


def test_who_is_not_active_or_unknown_may_nothing(person):
    user = person("superuser")
    user.is_active = False
    assert OneQueryBackend().get_all_permissions(user) == set()
    assert OneQueryBackend().get_all_permissions(AnonymousUser()) == set()


def test_nobody_has_permissions_for_one_document(person):
    assert OneQueryBackend().get_all_permissions(person("superuser"), obj=object()) == set()
