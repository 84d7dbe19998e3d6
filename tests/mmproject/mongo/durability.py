"""Does an acknowledged write survive `kill -9` of mongod? Writes from several threads, kills, starts again, counts."""

import signal
import threading
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from mmproject.mongo.client import client_options
from mmproject.stack.mongod import mongo_server
from mmproject.stack.server import free_port


def acknowledged_and_lost(*, folder: Path, seconds: float, threads: int = 4) -> tuple[int, int]:
    """How many documents were acknowledged before the kill, and how many of those are gone after it.

    The client has the backend's options on a URI that says nothing about the journal.
    """
    server = mongo_server(folder=folder, port=free_port())
    uri = f"mongodb://127.0.0.1:{server.command[server.command.index('--port') + 1]}/?directConnection=true"
    acknowledged: list[list[str]] = [[] for _ in range(threads)]
    stop = threading.Event()

    def write(number: int) -> None:
        with MongoClient(**client_options({"host": uri, "serverSelectionTimeoutMS": 500})) as client:
            collection = client["durability"]["documents"]
            while not stop.is_set():
                key = f"{number}-{len(acknowledged[number])}"
                try:
                    collection.insert_one({"_id": key, "filler": "x" * 200})
                except PyMongoError:
                    return  # the server is dead: this one was never acknowledged
                acknowledged[number].append(key)

    try:
        server.start()
        writers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
        for writer in writers:
            writer.start()
        stop.wait(seconds)
        assert server.process is not None
        server.process.send_signal(signal.SIGKILL)  # in the middle of the writing
        server.process.wait()
        stop.set()
        for writer in writers:
            writer.join()
        server.start()
        with MongoClient(uri) as client:
            there = {document["_id"] for document in client["durability"]["documents"].find({}, {"_id": True})}
    finally:
        stop.set()
        server.stop()
    keys = {key for one in acknowledged for key in one}
    return len(keys), len(keys - there)
