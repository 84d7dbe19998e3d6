"""What one machine's demo needs and nobody may know beforehand: generated once, kept in the state folder."""

import os
import secrets
from pathlib import Path

from mmproject.environment import read_env_file

DEMO_USERS = ("annotator", "evaluator", "reviewer", "operator", "admin")


def password_variable(username: str) -> str:
    """The name under which the state folder keeps the password of a demo user."""
    return f"DEMO_{username.upper()}_PASSWORD"


def remember(path: Path, values: dict[str, str]) -> dict[str, str]:
    """Write `values` into the env file at `path`, readable by its owner only; returns all that the file then holds."""
    merged = read_env_file(path) | values
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in merged.items())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return merged


def make_secrets(path: Path) -> dict[str, str]:
    """Generate what the env file at `path` lacks; what it has stays as it is."""
    known = read_env_file(path)
    fresh = {"SECRET_KEY": secrets.token_urlsafe(50)}
    fresh |= {password_variable(name): secrets.token_urlsafe(9) for name in DEMO_USERS}
    return remember(path, {name: value for name, value in fresh.items() if name not in known})
