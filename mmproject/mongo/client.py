"""One MongoClient a process: it pools connections itself, is safe between threads, and must not cross a fork."""

import os
import threading
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from djongo.base import DjongoClient
from pymongo import MongoClient
from pymongo.database import Database

# What a URI may override. A Mongo that is down is told in seconds, not after the driver's 30.
DEFAULTS = {"w": "majority", "retryWrites": True, "serverSelectionTimeoutMS": 5000, "connectTimeoutMS": 5000}
# What it may not: without the journal, `kill -9` of mongod loses acknowledged writes.
ALWAYS = {"journal": True, "tz_aware": False}

_clients: dict[tuple[int, str], MongoClient] = {}
_properties: dict[tuple[int, str], DjongoClient] = {}
_lock = threading.Lock()


def _forget_lock() -> None:
    """A fork may copy the lock while another thread holds it; nobody would ever release the copy."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


def client_for(options: dict[str, Any]) -> MongoClient:
    """The process's client for these MongoClient options; connects on first use.

    Raises pymongo.errors.ConfigurationError when the URI asks for unacknowledged writes (`w=0`).
    """
    key = (os.getpid(), repr(sorted(options.items())))
    client = _clients.get(key)
    if client is None:
        with _lock:
            client = _clients.get(key)
            if client is None:
                client = _clients[key] = MongoClient(**client_options(options), connect=False)
    return client


def properties_of(database: Database) -> DjongoClient:
    """djongo's properties of a database: above all the collections that are known to exist, kept for the process."""
    return _properties.setdefault((id(database.client), database.name), DjongoClient(database, True))


def client_options(options: dict[str, Any]) -> dict[str, Any]:
    """`options` with the defaults that neither they nor the URI in `host` name, and journaled writes in any case."""
    host = options.get("host")
    named = {name.lower() for name, _ in parse_qsl(urlsplit(host).query)} if isinstance(host, str) else set()
    named |= {name.lower() for name in options}
    return {name: value for name, value in DEFAULTS.items() if name.lower() not in named} | options | ALWAYS
