"""What kind of file a path is: an ordinary, readable one of a known format, by content as well as by name."""

import os
import stat
from pathlib import Path
from typing import Literal

from enmusubi.ingest.sources.report import Kind, Limits, SourceError

Format = Literal["delimited", "json-lines", "xlsx", "xls"]

KNOWN = ".csv, .tsv, .txt, .xlsx, .xlsm, .xls, .jsonl, .ndjson, or a folder with corpus.jsonl and queries.jsonl"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EARLY_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")
_TEXT_FORMATS: dict[str, Format] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".jsonl": "json-lines",
    ".ndjson": "json-lines",
}


def resolve(path: Path, kind: Kind) -> Path:
    """The file to read: of a BEIR folder its corpus.jsonl or queries.jsonl; SourceError where it is no file."""
    name = path.name or str(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceError(f"{name} does not exist; check the path") from None
    except PermissionError:
        raise SourceError(f"{name} may not be read; give this account permission to its folder") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{name} cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISDIR(mode):
        part = path / ("corpus.jsonl" if kind == "seed" else "queries.jsonl")
        if not part.exists():
            raise SourceError(
                f"{name} is a folder without {part.name}; name a file, or a folder in the BEIR layout "
                "(corpus.jsonl for seeds, queries.jsonl for needs)"
            )
        if part.is_dir():
            raise SourceError(f"{name}: {part.name} is a folder; a file is expected there")
        return resolve(part, kind)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{name} is {_special(mode)}, not a file; name an ordinary file")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{name} may not be read; give this account permission to it")
    if path.stat().st_size == 0:
        raise SourceError(f"{name} is empty; check that it was written to its end")
    return path


def _special(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "a socket"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a device"


def format_of(path: Path, limits: Limits) -> Format:
    """The format by the first bytes, then by the ending; SourceError where it is none that is read."""
    with path.open("rb") as handle:
        start = handle.read(512)
    if start.startswith(b"PK\x03\x04"):
        return _workbook_size(path, limits, "xlsx")
    if start.startswith(_OLE):
        if _holds(path, "EncryptedPackage".encode("utf-16-le")):
            raise SourceError(f"{path.name} is encrypted; save it without a password and retry")
        return _workbook_size(path, limits, "xls")
    ending = path.suffix.lower()
    if ending == ".xls" and start.startswith(_EARLY_EXCEL):
        return _workbook_size(path, limits, "xls")
    if ending in (".xls", ".xlsx", ".xlsm"):
        raise SourceError(
            f"{path.name} is not an Excel workbook, whatever its ending says, or it is damaged at its start; "
            "save it again from a spreadsheet program"
        )
    if ending not in _TEXT_FORMATS:
        raise SourceError(f"{path.name} has no ending that is read; known are {KNOWN}")
    return _TEXT_FORMATS[ending]


def _workbook_size(path: Path, limits: Limits, found: Format) -> Format:
    if path.stat().st_size > limits.workbook:
        raise SourceError(
            f"{path.name} is larger than {limits.workbook // 2**20:,} MB, too large for a workbook; save it as CSV"
        )
    return found


def _holds(path: Path, wanted: bytes) -> bool:
    tail = b""
    with path.open("rb") as handle:
        while chunk := handle.read(2**20):
            if wanted in tail + chunk:
                return True
            tail = chunk[-len(wanted) :]
    return False
