"""What was just done, by its code in the address of the next page: no text of a request is ever shown back."""

from typing import Final

from enmusubi.app.web.languages import N_

DONE: Final[dict[str, str]] = {
    "draft-saved": N_("Saved as a draft. Only your organisation sees it until you post it."),
    "posted": N_("Published. It is matched from now on."),
    "saved": N_("Saved."),
    "sent": N_("Sent."),
    "signed-out": N_("You have signed out."),
    "submitted": N_("Handed in. It is published when somebody of your cluster has looked at it."),
    "unchanged": N_("Nothing was changed."),
}
