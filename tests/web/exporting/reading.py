"""Read what was downloaded."""

import csv
import io
from typing import Any

from httpx2 import Response
from openpyxl import load_workbook
from pypdf import PdfReader


def lines_of(reply: Response) -> list[dict[str, str]]:
    """The rows of a CSV by their headings."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"), newline="")))


def rows_of(reply: Response) -> list[dict[str, Any]]:
    """The rows of an Excel file by their headings."""
    assert reply.status_code == 200, reply.text
    first, *rows = load_workbook(io.BytesIO(reply.content)).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, first), row, strict=True)) for row in rows]


def everything_in(reply: Response) -> str:
    """All that stands anywhere in a file, of whatever kind."""
    kind = reply.headers["content-type"]
    if kind == "application/pdf":
        reader = PdfReader(io.BytesIO(reply.content))
        return "".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    if kind.startswith("text/csv"):
        return reply.content.decode("utf-8-sig")
    sheets = load_workbook(io.BytesIO(reply.content)).worksheets
    return "\n".join(str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)
