"""The best public matches of a text that is being written: nothing of it is stored, and nothing confidential sent."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, Literal

from fastapi.responses import Response

from enmusubi.app.permissions import Relation, require
from enmusubi.app.proposals import Proposals
from enmusubi.app.representations import RankingOut, ranking_out
from enmusubi.app.schemas import TEXT_LIMIT
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.languages import N_
from enmusubi.app.web.posting.fields import As
from enmusubi.app.web.posting.sheets import Sheet

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Live:
    """What is shown of the matches: a ranking, or why there is none."""

    kind: str
    """Of what is matched with the text."""
    ranking: RankingOut | None = None
    why: str | None = None


def fragment(screen: Screen, sheet: Sheet) -> Response:
    """The matches alone, for a page that is on the screen already."""
    require(screen.caller, sheet.right, Relation.OWN)
    return screen.show("posting/matches.html", live=matches(screen, sheet))


def matches(screen: Screen, sheet: Sheet) -> Live:
    """The best matches of what stands in the public fields of the form, right or not."""
    against: Literal["seed", "need"] = "seed" if sheet.kind == "need" else "need"
    text = public_text(screen, sheet)
    if not text:
        return Live(against)
    if len(text) > TEXT_LIMIT:
        said = N_("Matches are shown here for up to %(number)s characters; the entry itself may be longer.")
        return Live(against, why=screen.speech.say(said, number=screen.speech.number(TEXT_LIMIT)))
    proposals = screen.runtime.matchmaking.for_text(screen.session, screen.caller, text, sheet.against, SHOWN)
    return Live(against, ranking_out(screen.caller, proposals, None, against), _why(screen, proposals))


def _why(screen: Screen, proposals: Proposals) -> str | None:
    if not proposals.any_open:
        return screen.speech.say(N_("Nothing is open to you yet that could match."))
    if not proposals.any_ranked:
        return screen.speech.say(N_("The open entries are not ready to be matched yet. Try again later."))
    if proposals.misses or not proposals.found:
        return screen.speech.say(N_("No good match yet. More words on what it is about may help."))
    return None


def public_text(screen: Screen, sheet: Sheet) -> str:
    """The text that is matched of a form, as it would be of the entry that it makes."""
    lists = sheet.named(As.LIST)
    read = {
        name: forms.parts(text_of(screen.form, name)) if name in lists else _text(screen, name)
        for name in sheet.matched
    }
    return sheet.profile(SimpleNamespace(**read)).matched_text()


def _text(screen: Screen, name: str) -> str | None:
    # What no text can hold has no meaning either; the form says so when it is sent.
    text = text_of(screen.form, name).replace("\r\n", "\n").replace("\x00", "").encode("utf-8", "ignore").decode()
    return text if text.strip() else None
