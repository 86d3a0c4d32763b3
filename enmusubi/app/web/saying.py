"""What was just done, by its code in the address of the next page: no text of a request is ever shown back."""

from typing import Final

from enmusubi.app.web.languages import N_

DONE: Final[dict[str, str]] = {
    "decided-all": N_("All ticked matches were decided on."),
    "dismissed": N_("Dismissed."),
    "found-more": N_("More seeds were ranked for this need."),
    "no-more": N_("No further seed is good enough for this need yet."),
    "saved": N_("Saved."),
    "sent": N_("Sent."),
    "shortlisted": N_("Shortlisted."),
    "signed-out": N_("You have signed out."),
    "taken-back": N_("The verdict was taken back."),
    "view-removed": N_("The view was removed."),
    "view-saved": N_("The view was saved."),
}
