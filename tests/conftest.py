"""What every test may ask for: people of each role, signed-in clients, a shop, a world shared with workers."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from annotation.product_search import forget_catalogue
from mmproject import roles
from mmproject.remembered import forget
from mmproject.roles import make_groups
from tests.shop import _shop_server, goods, shop, source

__all__ = ["_shop_server", "goods", "shop", "source"]  # fixtures of every test

# Both databases, really committed: workers, live servers and Mongo see nothing of a test's transaction.
DATABASES = {"databases": ["default", "mongo"], "transaction": True}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for people or a page needs both databases."""
    for item in items:
        asks = {"person", "sign_in", "live_server"} & set(getattr(item, "fixturenames", ()))
        if asks and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(**DATABASES))


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix() -> None:
    """Nothing: each process of `-n` has stores of its own, whose names the workers that tests start know."""


@pytest.fixture(autouse=True)
def _forget() -> None:
    """What this process keeps in mind of the test before."""
    forget()
    forget_catalogue()


@pytest.fixture
def person() -> Callable[[str], User]:
    """`person("annotator")`: a user in that group; `person("nobody")` has none, `person("superuser")` may do all."""

    def make(role: str) -> User:
        user = User.objects.filter(username=role).first()
        if user:
            return user
        make_groups(using="default")  # a flush between tests takes the groups away
        staff = role in {roles.REVIEWER, roles.OPERATOR, roles.ADMINISTRATOR, "superuser"}
        # Without a password, which would take half a second to hash: nobody types one here.
        user = User.objects.create_user(role, is_staff=staff, is_superuser=role == "superuser")
        if role in roles.PERMISSIONS:
            user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def sign_in(person: Callable[[str], User]) -> Callable[[str], Client]:
    """`sign_in("reviewer")`: a test client signed in as that role."""

    def enter(role: str) -> Client:
        client = Client()
        client.force_login(person(role))
        return client

    return enter
