"""Values of columns as JSON holds them, and back: times in UTC, bytes as base64, all else as JSON has it."""

import base64
import datetime
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Column, Date, DateTime, LargeBinary, Uuid

JsonObject = dict[str, Any]


def line_of(row: Mapping[str, Any]) -> bytes:
    """One row as one line; the same row is always the same line."""
    plain = {name: _plain(value) for name, value in row.items()}
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def reader_of(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes a column's value of the JSON value, which is not null; it raises ValueError or TypeError."""
    for kind, read in _READERS.items():
        if isinstance(column.type, kind):
            return read
    return _as_it_is


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def _as_it_is(value: Any) -> Any:
    return value


def _moment(value: Any) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value.encode("ascii") if isinstance(value, str) else value, validate=True)


_READERS: Final[Mapping[type[Any], Callable[[Any], Any]]] = {
    DateTime: _moment,
    Date: datetime.date.fromisoformat,
    Uuid: uuid.UUID,
    LargeBinary: _bytes,
}
