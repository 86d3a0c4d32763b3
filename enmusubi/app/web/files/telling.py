"""How far an import is, in a sentence, and what the place to drop a file says."""

from typing import Any, Final

from enmusubi.app.models import Import
from enmusubi.app.posted_files import ENDINGS
from enmusubi.app.vocabulary import ImportState
from enmusubi.app.web.accounts.fields import new_once
from enmusubi.app.web.asking import Screen
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.words import word

_ORDER: Final = (".xlsx", ".xls", ".csv", ".tsv", ".jsonl")
TYPES: Final = {
    ending: next(content_type for content_type, own in ENDINGS.items() if own == ending) for ending in _ORDER
}
"""The content type by the ending of a name."""
_MEGABYTE: Final = 1_000_000


def drop_values(screen: Screen) -> dict[str, Any]:
    """What the form to drop a file needs."""
    most = screen.runtime.settings.max_import_bytes
    megabytes = screen.speech.number(most / _MEGABYTE, 0 if most % _MEGABYTE == 0 else 2)
    return {"endings": list(TYPES), "most": most, "megabytes": megabytes, "once": new_once()}


def told(speech: Speech, made: Import) -> str:
    """What stands beside the progress."""
    number = speech.number
    if made.state == ImportState.CHECKING and made.total:
        return speech.say(N_("%(read)s of about %(total)s rows looked through"),
                          read=number(made.read), total=number(made.total))  # fmt: skip
    if made.state == ImportState.RUNNING and made.total:
        message = N_("%(read)s of about %(total)s rows: %(new)s new, %(changed)s changed, %(rejected)s left out")
        return speech.say(
            message, read=number(made.read), total=number(made.total), new=number(made.new),
            changed=number(made.changed), rejected=number(made.rejected),
        )  # fmt: skip
    return word(speech, made.state, "ImportState")
