"""The messages of the pages: found in templates and code, kept in a catalogue for each part and language.

`python -m tests.web.messages` (make messages) brings the catalogues up to date: new messages are added, in English
with themselves, what is used no more goes. The rest of the work is to write the Japanese ones.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

import enmusubi.app.sheets
import enmusubi.app.web
from enmusubi.app.vocabulary import Language
from enmusubi.app.web.languages import CATALOGUES

WEB: Final = Path(enmusubi.app.web.__file__).parent
SHEETS: Final = Path(enmusubi.app.sheets.__file__).parent
"""Below the pages, but in their words."""
COMMON: Final = "common"
_OF_SHEETS: Final = "exporting"
_KEYWORDS: Final[Mapping[str, object]] = {
    "_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": None, "say_many": (1, 2),
}  # fmt: skip
ERRORS: Final = "errors"
"""The catalogue of what use cases and drafts say that is wrong."""
NOT_SHOWN: Final = frozenset(
    {
        "cli",
        "moving",
        "embedded",
        "api",
        "web",
        "working",
        "migrating.py",
        "secret_files.py",
        "grants.py",
        "database.py",
    }
    | {"config.py", "chain.py", "chain_file.py", "fittings.py", "refitting.py", "erasing.py", "runtime.py", "main.py"}
)
"""Modules whose errors no page shows: of the operator, of the worker, of the API's own headers."""
RAISED: Final = frozenset(
    {"InvalidInputError", "UnauthenticatedError", "ForbiddenError", "ConfirmationNeededError", "TooManyAttemptsError"}
    | {"NotFoundError", "ConflictError", "PreconditionFailedError", "NotReadyError", "StaleFormError"}
)
"""Errors that pages show; what they say stands in the call, or in a `Sentence`."""

# Without dates and names, which would change with every run.
_HEAD: Final = """msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def part_of(path: Path) -> str:
    """Which catalogue a file's messages are in: that of its folder among the templates or the modules."""
    if path.is_relative_to(SHEETS):
        return _OF_SHEETS
    if not path.is_relative_to(WEB):
        return ERRORS
    relative = path.relative_to(WEB / "templates" if path.suffix == ".html" else WEB)
    return relative.parts[0] if len(relative.parts) > 1 else COMMON


def found() -> dict[str, Catalog]:
    """All messages of the pages by the part they are in; one that stands in several parts is in the first."""
    parts: dict[str, Catalog] = {}
    taken: set[object] = set()
    for path in sorted(_files(), key=_first):
        method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
        options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"} if path.suffix == ".html" else {}
        for _, message, _, _ in extract_from_file(method, str(path), keywords=_keywords(path), options=options):  # type: ignore[arg-type]
            if not message or message in taken or not isinstance(message, str | tuple):
                continue
            taken.add(message)
            parts.setdefault(part_of(path), Catalog()).add(message)
    return parts


def _keywords(path: Path) -> Mapping[str, object]:
    said = {"Sentence": None, **dict.fromkeys(RAISED)}
    return {**_KEYWORDS, **said} if path.is_relative_to(WEB) or path.is_relative_to(SHEETS) else said


def stored(part: str, language: Language) -> Catalog:
    """A catalogue as it is in the repository; empty where there is none."""
    path = CATALOGUES / language / f"{part}.po"
    if not path.exists():
        return Catalog(locale=str(language))
    with path.open("rb") as file:
        return read_po(file, locale=str(language))


def missing(language: Language) -> list[str]:
    """Messages without a translation, each with its part."""
    return [
        f"{part}: {message.id}"
        for part, catalogue in found().items()
        for message in catalogue
        if message.id and not _is_said(stored(part, language).get(message.id))
    ]


def left_over(language: Language) -> list[str]:
    """Translations of messages that are used no more."""
    parts = found()
    return [
        f"{path.stem}: {message.id}"
        for path in sorted((CATALOGUES / language).glob("*.po"))
        for message in stored(path.stem, language)
        if message.id and (path.stem not in parts or message.id not in parts[path.stem])
    ]


def _is_said(message: object) -> bool:
    said = getattr(message, "string", "")
    return all(said) if isinstance(said, tuple) else bool(said)


def _first(path: Path) -> tuple[bool, bool, str]:
    return part_of(path) != COMMON, path.is_relative_to(SHEETS), str(path)


def _files() -> Iterator[Path]:
    yield from WEB.rglob("*.py")
    yield from SHEETS.rglob("*.py")
    yield from WEB.rglob("*.html")
    yield from error_files()


def error_files() -> list[Path]:
    """The modules that say to people what is wrong."""
    app = WEB.parent
    return [path for path in sorted(app.rglob("*.py")) if path.relative_to(app).parts[0] not in NOT_SHOWN]


def main() -> None:
    """Bring the catalogues up to date."""
    parts = found()
    for language in Language:
        (CATALOGUES / language).mkdir(parents=True, exist_ok=True)
        every = {path.stem for path in (CATALOGUES / language).glob("*.po")}
        # A message that moved from one part to another keeps what it was translated with.
        known = {message.id: message.string for part in every for message in stored(part, language) if message.id}
        for part in every - set(parts):
            (CATALOGUES / language / f"{part}.po").unlink()
        for part, messages in parts.items():
            kept = Catalog(locale=str(language))
            for message in messages:
                if not message.id:
                    continue
                said = known.get(message.id) or (message.id if language is Language.EN else "")
                if isinstance(message.id, tuple) and isinstance(said, str):
                    said = (said,)
                kept.add(message.id, said)
            with (CATALOGUES / language / f"{part}.po").open("wb") as file:
                file.write(_HEAD.format(language=language, plurals=kept.plural_forms).encode())
                write_po(file, kept, omit_header=True, sort_output=True, no_location=True, width=120)


if __name__ == "__main__":
    main()
