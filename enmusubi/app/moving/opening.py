"""Open an export and check it before anything is read from it: its format, its files, their rows and checksums."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from enmusubi.app.errors import InvalidInputError
from enmusubi.app.moving import manifest as manifests
from enmusubi.app.moving.manifest import FORMAT, VERSION, Manifest, file_of
from enmusubi.app.moving.tables import EXPORTED, columns_of
from enmusubi.app.moving.values import JsonObject

_LONGEST_MANIFEST: Final = 1_000_000
_LONGEST_LINE: Final = 64 * 2**20
_CHUNK: Final = 2**20


@dataclass(frozen=True, slots=True)
class Export:
    """A checked export."""

    archive: zipfile.ZipFile
    manifest: Manifest

    def rows(self, table: str) -> Iterator[tuple[int, JsonObject]]:
        """The rows of a table with their lines, in the order of the file; InvalidInputError names a wrong line."""
        name = file_of(table)
        listed = self.manifest.files.get(name)
        if listed is None:
            return
        expected = set(listed.columns)
        with self.archive.open(name) as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    raise InvalidInputError(f"{name}, line {number}: not a JSON object in UTF-8") from None
                if not isinstance(row, dict) or set(row) != expected:
                    raise InvalidInputError(f"{name}, line {number}: has other members than the manifest says")
                yield number, row


@contextmanager
def opened_export(path: Path, progress: Callable[[str, int], None] | None = None) -> Iterator[Export]:
    """An export whose every byte is as it was written; InvalidInputError names what is not."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            _check_files(archive, manifest, progress)
            yield Export(archive, manifest)
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist; check the path") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InvalidInputError(f"{path.name}: not a whole zip file ({error})") from None


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        with archive.open(manifests.NAME) as file:
            told = json.loads(file.read(_LONGEST_MANIFEST))
    except KeyError:
        raise InvalidInputError(f"{path.name}: holds no {manifests.NAME}; `enmusubi export` writes one") from None
    except (ValueError, RecursionError):
        raise InvalidInputError(f"{path.name}: {manifests.NAME} cannot be read") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise InvalidInputError(f"{path.name}: not an export of a cluster")
    if told.get("version") != VERSION:
        raise InvalidInputError(
            f"{path.name}: is of version {told.get('version')} of the format, {VERSION} is read; import it with the "
            "version of Enmusubi that wrote it"
        )
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        where = "/".join(str(step) for step in error.errors()[0]["loc"])
        raise InvalidInputError(f"{path.name}: {manifests.NAME}: {where} is not as expected") from None


def _check_files(archive: zipfile.ZipFile, manifest: Manifest, progress: Callable[[str, int], None] | None) -> None:
    held = sorted(archive.namelist())
    if held != sorted([manifests.NAME, *manifest.files]):
        raise InvalidInputError("the files in the zip are not those that its manifest lists, each once")
    tables = {file_of(table): table for table in EXPORTED}
    for name, listed in manifest.files.items():
        if name not in tables:
            raise InvalidInputError(f"{name}: no table of this version; import it with the version that wrote it")
        known = {column.name for column in columns_of(tables[name])}
        unknown = [column for column in listed.columns if column not in known]
        if unknown:
            raise InvalidInputError(
                f"{name}: {', '.join(unknown)}: no column of this version; import it with the version that wrote it"
            )
        digest, rows = hashlib.sha256(), 0
        with archive.open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                rows += chunk.count(b"\n")
        if digest.hexdigest() != listed.sha256 or rows != listed.rows:
            raise InvalidInputError(f"{name}: is not as it was written: its checksum or its number of rows differs")
        if progress is not None:
            progress(name, rows)
