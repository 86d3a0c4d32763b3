"""What these pages say of what was done, and of why it was not."""

import re
from typing import Final

from enmusubi.app.errors import ConflictError, EnmusubiError, PreconditionFailedError
from enmusubi.app.vocabulary import EntryStatus, EntryStep, Step
from enmusubi.app.web.languages import N_, Speech

DONE: Final[dict[str, str]] = {
    "submitted": N_("It is published."),
    "under-review": N_("It was handed in. Somebody of the cluster looks at it before it is published."),
    "recalled": N_("It is a draft again."),
    "held": N_("It is on hold: nobody is proposed to it until you resume it."),
    "resumed": N_("It is back in the catalogue."),
    "renewed": N_("Its last day was moved."),
    "archived": N_("It was put aside."),
    "entry-withdrawn": N_("It was withdrawn. You still find it here."),
    "approved": N_("Approved. Its owner is told."),
    "sent-back": N_("Sent back. Its owner is told, and reads your reason."),
    "ready": N_("Noted: what was declined for want of time or terms is proposed again."),
    "interested": N_("Your interest was passed on. The other side is asked now."),
    "accepted": N_("Your yes was passed on."),
    "declined": N_("Your no was passed on, with your reason."),
    "introduced": N_("Both sides are asked now."),
    "shortlisted": N_("Shortlisted."),
    "dismissed": N_("Dismissed."),
    "reconsidered": N_("The verdict was taken back."),
    "paired": N_("Shortlisted by hand."),
    "disclosed": N_("Both sides were told exactly what you were shown."),
    "reported": N_("Reported. Both sides and the coordinator see it."),
    "closed": N_("Closed, with your reason."),
    "handed-over": N_("Handed over."),
}

OF_STEP: Final[dict[EntryStep, str]] = {
    EntryStep.SUBMIT: "submitted",
    EntryStep.RECALL: "recalled",
    EntryStep.HOLD: "held",
    EntryStep.RESUME: "resumed",
    EntryStep.RENEW: "renewed",
    EntryStep.ARCHIVE: "archived",
}


def done_by(step: EntryStep, status: str) -> str:
    """The code of what an owner's step did, with the status that it led to."""
    return "under-review" if status == EntryStatus.UNDER_REVIEW else OF_STEP[step]


BUTTONS: Final[dict[Step, str]] = {
    Step.SHORTLIST: N_("Shortlist"),
    Step.DISMISS: N_("Dismiss"),
    Step.RECONSIDER: N_("Take the verdict back"),
    Step.PAIR: N_("Pair by hand"),
    Step.INTRODUCE: N_("Introduce"),
    Step.EXPRESS_INTEREST: N_("We are interested"),
    Step.ACCEPT: N_("Yes, introduce us"),
    Step.DECLINE: N_("No, thank you"),
    Step.DISCLOSE: N_("Look at what would be disclosed"),
    Step.MEET: N_("Report a meeting"),
    Step.NEGOTIATE: N_("Report negotiations"),
    Step.AGREE: N_("Report an agreement"),
    Step.REPORT_OUTCOME: N_("Report an outcome"),
    Step.CLOSE: N_("Close it"),
    Step.HAND_OVER: N_("Hand over"),
}
HELP: Final[dict[Step, str]] = {
    Step.SHORTLIST: N_("Keep it, to be introduced. The two sides are told nothing yet."),
    Step.DISMISS: N_("It is not proposed again until what it was dismissed for has changed."),
    Step.RECONSIDER: N_("The pair is proposed again, as if nothing had been decided."),
    Step.PAIR: N_("Shortlist the pair once more, whatever was said before."),
    Step.INTRODUCE: N_("Both sides are asked whether they want to meet. Neither learns yet who the other is."),
    Step.EXPRESS_INTEREST: N_(
        "The other side is asked at once. It does not learn who you are until both have said yes and a coordinator has "
        "introduced you."
    ),
    Step.ACCEPT: N_("Once both sides have said yes, a coordinator tells each who the other is."),
    Step.DECLINE: N_("A reason helps: the pair comes back only when that has changed."),
    Step.DISCLOSE: N_("Both have said yes. You see first, word for word, what each would be told."),
    Step.MEET: N_("A further meeting is reported in the same way."),
    Step.NEGOTIATE: N_("The two sides negotiate."),
    Step.AGREE: N_("The two sides agree."),
    Step.REPORT_OUTCOME: N_("What came of it. There may be several."),
    Step.CLOSE: N_("It ends here. The other side reads your reason."),
    Step.HAND_OVER: N_("All your open matches go to another coordinator."),
}

_MOST_INTERESTS: Final = re.compile(r"(\d+) introductions that your organisation asked for")
_PAST: Final = re.compile(r"(\w+): (\d{4}-\d{2}-\d{2}) is past")
_NOT_DISCLOSED: Final = re.compile(r"the (need|seed) is \w+, so nothing is disclosed|one of the two entries is a draft")
# Sentences of the use cases and of drafts, as they are raised: they are translated by the catalogue.
_KNOWN: Final = frozenset(
    {
        N_("a dismissal needs a reason code"),
        N_("a rejection needs a reason, which its owner reads"),
        N_("ends_on is before starts_on"),
        N_("one of the two entries is not open to be introduced, or not to the other"),
        N_(
            "the need excludes the seed's organisation by now, so nothing is disclosed to it; close the introduction, "
            "or ask the company"
        ),
        N_("what would be disclosed has changed since it was shown; look at it again"),
        N_("on: is not past yet"),
        N_("expires_on: an entry is kept for two years at most; renew it later"),
        N_("approve: its last day is past; its owner has to renew it first"),
        N_("you submitted it; somebody else of your cluster has to look at it"),
        N_(
            "status: the entry was introduced to others, who go on reading it, so it is no draft any more; put it on "
            "hold or withdraw it"
        ),
        N_("to: is no active coordinator of the cluster"),
        N_("to: is the same account"),
        N_("the pair is not ready to be matched yet; try again when it is indexed"),
        N_(
            "the pair cannot be matched: one of the two is not open, or they are of one owner, or the need excludes "
            "the seed's organisation"
        ),
    }
)


def why_not(speech: Speech, error: EnmusubiError) -> str:
    """Why a step was not taken, in the reader's language; the page below shows how things stand now."""
    if error.detail in _KNOWN:
        return speech.say(error.detail)
    if most := _MOST_INTERESTS.match(error.detail):
        return speech.say(
            N_("%(most)s introductions that your organisation asked for wait for an answer: as many as may at once."),
            most=most[1],
        )
    if _NOT_DISCLOSED.match(error.detail):
        return speech.say(
            N_("One of the two entries is not open any more, so nothing is disclosed. Close it, or ask its owner.")
        )
    if error.detail.startswith("nobody can answer for"):
        return speech.say(N_("On one of the two sides nobody has an account to answer with: invite somebody first."))
    if _PAST.match(error.detail):
        return speech.say(N_("That day is past already."))
    if isinstance(error, PreconditionFailedError):
        return speech.say(
            N_("Somebody changed this after you had opened it. Below is how it stands now: look at it, then decide.")
        )
    if isinstance(error, ConflictError):
        return speech.say(N_("That cannot be done any more as things stand now. What can be done is offered below."))
    return speech.say(N_("That is not right as it was sent. Look at it, and try again."))
