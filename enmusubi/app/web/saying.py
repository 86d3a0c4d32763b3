"""What was just done, by its code in the address of the next page: no text of a request is ever shown back."""

from typing import Final

from enmusubi.app.web.entries import said
from enmusubi.app.web.languages import N_

DONE: Final[dict[str, str]] = {
    "saved": N_("Saved."),
    "sent": N_("Sent."),
    "signed-out": N_("You have signed out."),
    **said.DONE,
}
