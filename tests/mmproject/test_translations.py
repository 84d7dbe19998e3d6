"""Simplified Chinese is complete, and says with the same placeholders what the English says."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from mmproject.environment import BASE_DIR

CATALOG = "locale/zh_Hans/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>")


def messages(path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file, locale="zh_Hans") if message.id]


def versions(text) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def test_every_message_has_the_placeholders_of_its_original():
    for message in messages(BASE_DIR / CATALOG):
        wanted = set(PLACEHOLDER.findall(versions(message.id)[-1]))
        for translation in versions(message.string):
            assert translation, f"{message.id} is not translated"
            assert set(PLACEHOLDER.findall(translation)) == wanted, message.id


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext, which collects the strings, is not installed")
def test_no_string_of_the_code_is_missing(tmp_path):
    for name in ("mmproject", "crawler", "annotation", "evaluation", "templates", "locale"):
        shutil.copytree(BASE_DIR / name, tmp_path / name)
    shutil.copy(BASE_DIR / "manage.py", tmp_path)
    command = [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans", "--no-location", "--no-obsolete"]
    subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True
    )
    known = {str(message.id) for message in messages(BASE_DIR / CATALOG)}
    missing = {str(message.id) for message in messages(tmp_path / CATALOG)} - known
    assert not missing
