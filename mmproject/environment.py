"""The process environment: where it comes from and how a missing value is told.

Settings read `os.environ` only. On one machine the stack writes the generated values (secrets, the addresses of the
embedded servers) to `STATE_DIR/env`; `load_state` puts them into the environment of a process that has none of its own.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def state_dir() -> Path:
    """The one folder that holds everything this machine has made: databases, pictures, models, secrets."""
    return Path(os.environ.get("STATE_DIR") or BASE_DIR / "var").resolve()


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines of `path`; empty when there is no such file."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def load_state() -> None:
    """Fill what the environment lacks from the state folder; what is already set wins."""
    for name, value in read_env_file(state_dir() / "env").items():
        os.environ.setdefault(name, value)


def required(name: str, purpose: str) -> str:
    """The value of an environment variable that has no default.

    Raises ImproperlyConfigured naming the variable and what it is for.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set: {purpose}. Set it in the environment; `make demo` generates one for this machine."
        )
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """An on/off environment variable. Raises ImproperlyConfigured for anything but 1/0, true/false, yes/no, on/off."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off: use 1 or 0")


def number(name: str, default: int) -> int:
    """A whole number from the environment. Raises ImproperlyConfigured naming the variable and its value."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number") from None
