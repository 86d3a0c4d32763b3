"""Filters of the queue in words, as they stand above its list."""

from typing import Any, Final

from enmusubi.app.queueing.drafts import EVERY
from enmusubi.app.web import words
from enmusubi.app.web.languages import N_, Speech

_KINDS: Final = {
    "state": "MatchStatus", "waiting": "Side", "band": "Band", "handled": "Handled", "language": "Language",
}  # fmt: skip
_SAID: Final = {
    "state": N_("state: %(value)s"),
    "waiting": N_("waiting on: %(value)s"),
    "overdue": N_("overdue"),
    "field": N_("field: %(value)s"),
    "region": N_("region: %(value)s"),
    "trl": N_("TRL %(value)s or more"),
    "band": N_("worth a look: %(value)s"),
    "language": N_("seed in: %(value)s"),
    "handled": N_("handled: %(value)s"),
}


def filter_words(speech: Speech, name: str, value: Any) -> str:
    """One filter that is set, in the reader's language."""
    if name == "state" and value == EVERY:
        return speech.say(N_("every state"))
    told = words.word(speech, value, _KINDS[name]) if name in _KINDS else value
    return speech.say(_SAID[name], value=told)
