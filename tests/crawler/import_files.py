"""Files to import, made by tests."""

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from PIL import Image

from crawler.imports.opening import opened_file
from crawler.imports.rows import ImportRow, Problem, checked

HEADER = "item_id,title,url,price,currency,shop_name,shop_url,image"


def picture(colour: str = "red", *, form: str = "JPEG", size: tuple[int, int] = (40, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def csv_of(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode()


def jsonl_of(*values: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def xlsx_of(*rows: Sequence[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def zip_of(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def muge_queries(*queries: tuple[int, str, list[int]]) -> bytes:
    return jsonl_of(*({"query_id": number, "query_text": text, "item_ids": ids} for number, text, ids in queries))


def muge_pictures(pictures: Mapping[int, bytes]) -> bytes:
    return b"".join(b"%d\t%s\n" % (number, base64.b64encode(data)) for number, data in pictures.items())


def read(data: bytes, *, chosen: str = "auto") -> list[ImportRow | Problem]:
    """What an import of this file would see, row by row."""
    with opened_file(io.BytesIO(data), chosen=chosen) as opened:
        return [row if isinstance(row, Problem) else checked(row, source="files") for row in opened.rows]


def titles(data: bytes) -> list[str]:
    return [row.values["title"] for row in read(data) if isinstance(row, ImportRow)]


def warnings(data: bytes) -> list[str]:
    with opened_file(io.BytesIO(data)) as opened:
        list(opened.rows)
        return opened.rows.warnings
