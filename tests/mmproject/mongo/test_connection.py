"""One client a process, safe writes whatever the URI says, and a clear error when there is no server."""

import os
import signal
import threading
import time

import pytest
from django.db import InterfaceError, OperationalError, connections
from django.db.utils import DatabaseError
from pymongo import MongoClient

from mmproject.mongo import client as clients
from mmproject.mongo.client import client_for, client_options
from mmproject.stack.server import free_port
from tests.mmproject.mongo.app.models import Page

DATABASES = {"databases": ["default", "mongo"], "transaction": True}


def test_writes_are_journaled_whatever_the_uri_says():
    client = MongoClient(**client_options({"host": "mongodb://h/?journal=false&w=1"}), connect=False)
    assert client.write_concern.document == {"j": True, "w": 1}
    assert MongoClient(**client_options({"host": "mongodb://h/"}), connect=False).write_concern.document == {
        "j": True,
        "w": "majority",
    }


def test_the_uri_may_choose_its_own_patience():
    assert "serverSelectionTimeoutMS" not in client_options({"host": "mongodb://h/?serverSelectionTimeoutMS=9"})
    assert client_options({"host": "mongodb://h/"})["serverSelectionTimeoutMS"] == 5000


@pytest.fixture
def other(transactional_db):
    """Another connection, to a URI of the test's choice."""

    def connect(uri):
        return connections["mongo"].__class__(
            {**connections["mongo"].settings_dict, "CLIENT": {"host": uri}}, alias="other"
        )

    return connect


@pytest.mark.django_db(**DATABASES)
def test_a_server_that_is_down_is_an_operational_error_soon(other):
    connection = other(f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=300")
    start = time.monotonic()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute('SELECT "id" FROM "probe_page"')
    assert time.monotonic() - start < 3


@pytest.mark.django_db(**DATABASES)
def test_unacknowledged_writes_are_refused(other):
    with pytest.raises((OperationalError, InterfaceError)):
        other("mongodb://127.0.0.1:1/?w=0").ensure_connection()


@pytest.mark.django_db(**DATABASES)
def test_threads_and_closed_connections_share_one_client(probes):
    connection = connections["mongo"]
    connection.ensure_connection()
    client = connection.connection.client
    connection.close()
    assert Page.objects.count() == 0
    assert connection.connection.client is client is client_for(connection.get_client_options())


@pytest.mark.django_db(**DATABASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_client_of_its_own(probes):
    Page.objects.create(id="parent", title="x", status="new", depth=0)
    before = id(connections["mongo"].connection.client)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Page.objects.create(id="child", title=Page.objects.get().title, status="new", depth=0)
            code = 0 if id(connections["mongo"].connection.client) != before else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert set(Page.objects.values_list("id", flat=True)) == {"parent", "child"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_another_thread_makes_a_client_does_not_hang_the_child():
    held, done = threading.Event(), threading.Event()

    def hold():
        with clients._lock:
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest-timeout's handler is of no use to the child
        signal.alarm(10)  # a child that waits for the lock dies of this
        try:
            client_for({"host": "mongodb://127.0.0.1:1/", "appname": "forked"})
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.django_db(**DATABASES)
def test_an_error_of_the_server_is_a_database_error(probes):
    with pytest.raises(DatabaseError):
        Page.objects.filter(title__regex="(").count()
    assert connections["mongo"].is_usable()
