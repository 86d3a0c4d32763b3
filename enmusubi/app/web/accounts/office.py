"""What a cluster's office does on pages of its own, as far as an account may."""

from typing import Final

from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.web.asking import Screen
from enmusubi.app.web.languages import N_

_PLACES: Final = (
    ("/people", Right.READ_ACCOUNT, N_("People")),
    ("/organisations", Right.READ_ORGANISATION, N_("Organisations")),
    ("/settings", Right.READ_SETTINGS, N_("Settings")),
    ("/webhooks", Right.MANAGE_WEBHOOKS, N_("Webhooks")),
    ("/record", Right.READ_RECORD, N_("Record")),
)


def links(screen: Screen) -> list[tuple[str, str]]:
    """Addresses and names of those pages."""
    return [(address, screen.speech.say(name)) for address, right, name in _PLACES if _may(screen, right)]


def _may(screen: Screen, right: Right) -> bool:
    relation = Relation.OWN if screen.caller.organisation_id is not None else Relation.HERE
    return may(screen.caller, right, relation)
