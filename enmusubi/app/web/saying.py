"""What was just done, by its code in the address of the next page: no text of a request is ever shown back."""

from typing import Final

from enmusubi.app.web.entries import said
from enmusubi.app.web.languages import N_

DONE: Final[dict[str, str]] = {
    "cancelled": N_("Cancelled; the file is forgotten."),
    "confirmed": N_("It is being read; you may leave this page."),
    "deactivated": N_("The account is deactivated."),
    "invited": N_("The invitation is on its way by letter."),
    "marked": N_("Marked as read."),
    "password": N_("Your password is changed, and your other sessions have ended."),
    "reactivated": N_("The account may sign in again."),
    "removed": N_("Removed."),
    "replayed": N_("It is being sent again."),
    "draft-saved": N_("Saved as a draft. Only your organisation sees it until you post it."),
    "posted": N_("Published. It is matched from now on."),
    "saved": N_("Saved."),
    "sent": N_("Sent."),
    "session-ended": N_("The session has ended."),
    "sessions-ended": N_("All your other sessions have ended."),
    "signed-out": N_("You have signed out."),
    "token-revoked": N_("The token is revoked."),
    "twice": N_("That was sent twice, and done once."),
    "withdrawn": N_("Withdrawn."),
    "submitted": N_("Handed in. It is published when somebody of your cluster has looked at it."),
    "unchanged": N_("Nothing was changed."),
    "decided-all": N_("All ticked matches were decided on."),
    "dismissed": N_("Dismissed."),
    "found-more": N_("More seeds were ranked for this need."),
    "no-more": N_("No further seed is good enough for this need yet."),
    "shortlisted": N_("Shortlisted."),
    "taken-back": N_("The verdict was taken back."),
    "view-removed": N_("The view was removed."),
    "view-saved": N_("The view was saved."),
    **said.DONE,
}
