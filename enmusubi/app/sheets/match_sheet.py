"""A match on one page for a meeting: both sides in short, what connects them, what is open, where it stands.

It is handed round a table. So it holds what both sides may read and no more: no scores, nothing confidential, and the
name of a company behind an anonymous need only once it was disclosed.
"""

import datetime
import uuid
from typing import Any, Final

from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import needs
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import own_cluster
from enmusubi.app.explaining import Explaining
from enmusubi.app.introducing import reading
from enmusubi.app.introducing.disclosing import organisations_disclosed
from enmusubi.app.introducing.shown import StepsOut
from enmusubi.app.models import Match
from enmusubi.app.reasons_shown import CONFIDENTIAL, ReasonsOut, reasons_out
from enmusubi.app.recording import record
from enmusubi.app.representations import NeedOut, SeedOut, need_out, seed_out
from enmusubi.app.reviewing import read_match
from enmusubi.app.sheets.columns import outline
from enmusubi.app.sheets.printing import clean, printed, shortened, wide
from enmusubi.app.sheets.wording import N_, Wording, listed, named
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import Action, RecordedKind, Role, Side

_SCALES: Final = (1.4, 1.1, 0.85, 0.65, 0.5, 0.35, 0.22)
"""By how much texts are shortened until they are on one page."""
_PAIRS, _QUESTIONS, _STEPS = 4, 6, 4
_A_SIGN: Final = 2
"""Columns of a single sign, which says little by itself."""
Content = dict[str, Any]

STATUS: Final = N_("Status")


class _Writing:
    """The sheet's texts at one scale."""

    def __init__(self, wording: Wording, scale: float) -> None:
        self.wording = wording
        self._scale = scale

    def say(self, message: str, /, **values: object) -> str:
        return self.wording.say(message, **values)

    def short(self, text: str | None, columns: int) -> str:
        return shortened(self.wording, text, max(40, int(columns * self._scale)))

    def few(self, count: int) -> int:
        return max(2, round(count * min(1.0, self._scale * 1.4)))

    def facts(self, *facts: tuple[str, str | None]) -> list[Content]:
        return [{"label": self.say(label), "text": self.short(text, 120)} for label, text in facts if text]

    def texts(self, *texts: tuple[str, str | None, int]) -> list[Content]:
        return [{"label": self.say(label), "text": self.short(text, width)} for label, text, width in texts if text]

    def more(self, count: int) -> str | None:
        return self.say(N_("and %(count)s more on the screen"), count=self.wording.number(count)) if count > 0 else None


def match_sheet(
    session: Session, caller: Caller, explaining: Explaining, public_id: uuid.UUID, wording: Wording,
    now: datetime.datetime,
) -> bytes:  # fmt: skip
    """The sheet as PDF, recorded as an export of the match; NotFoundError where the caller does not see it."""
    match = read_match(session, caller, public_id)
    steps, _ = reading.read_steps(session, caller, public_id, now)
    reasons = reasons_out(explaining.match(session, caller, match), coarse=caller.role is Role.COMPANY)
    need = need_out(match.need, None, needs.outline_owners(session, [match.need]).get(match.need_id))
    seed = seed_out(match.seed, None)
    told = organisations_disclosed(session, caller, match)
    cluster = own_cluster(session, caller)
    record(session, caller, Action.EXPORTED, RecordedKind.MATCH, match.public_id, through="match_sheet")
    made = b""
    for scale in _SCALES:
        writing = _Writing(wording, scale)
        content = {
            **_head(writing, match, caller, cluster.name, now),
            "sides": [_need(writing, need, told.get(Side.NEED)), _seed(writing, seed, told.get(Side.SEED))],
            "connects": _connects(writing, reasons),
            "open": _open(writing, reasons),
            "stands": _stands(writing, steps),
        }
        made, pages = printed("match.typ", content, now)
        if pages == 1:
            return made
    return made


def _head(writing: _Writing, match: Match, caller: Caller, cluster: str, now: datetime.datetime) -> Content:
    say = writing.say
    return {
        "language": str(writing.wording.language),
        "title": say(N_("Match for a meeting")),
        "cluster": writing.short(cluster, 80),
        "day": writing.wording.day(day_of(now)),
        "status": writing.wording.word(seen_status(match, caller)),
        "footer": say(N_("What the one who printed it could read on that day; shortened where it is marked.")),
        "id": str(match.public_id),
    }


def _need(writing: _Writing, need: NeedOut, told: tuple[str, str | None] | None) -> Content:
    wording = writing.wording
    public = (need.organisation.name, need.organisation.name_en) if need.organisation else told
    return {
        "kind": writing.say(N_("Need")),
        "title": writing.short(need.title, 140),
        "owner": writing.short(named(wording, *public) if public else outline(wording, need), 90),
        "facts": writing.facts(
            (N_("Wanted TRL"), None if need.wanted_trl is None else str(need.wanted_trl)),
            (N_("Forms of cooperation"), listed(wording, [wording.word(each) for each in need.cooperation])),
            (N_("Wanted by"), wording.day(need.deadline) if need.deadline else None),
            (N_("Preferred regions"), listed(wording, need.region_preference)),
            (N_("Fields"), listed(wording, need.field_codes)),
        ),
        "texts": writing.texts(
            (N_("Summary"), need.summary, 420),
            (N_("Expertise sought"), need.expertise_sought, 340),
            (N_("Applications"), need.applications, 220),
        ),
    }


def _seed(writing: _Writing, seed: SeedOut, told: tuple[str, str | None] | None) -> Content:
    wording = writing.wording
    public = (seed.organisation.name, seed.organisation.name_en) if seed.organisation else told
    return {
        "kind": writing.say(N_("Seed")),
        "title": writing.short(seed.title, 140),
        "owner": writing.short(named(wording, *public) if public else None, 90),
        "facts": writing.facts(
            (N_("TRL"), None if seed.trl is None else str(seed.trl)),
            (N_("Stage"), wording.word(seed.stage) if seed.stage else None),
            (N_("Intellectual property"), wording.word(seed.ipr_status) if seed.ipr_status else None),
            (N_("Regions"), listed(wording, seed.regions)),
            (N_("Fields"), listed(wording, seed.field_codes)),
        ),
        "texts": writing.texts(
            (N_("Summary"), seed.summary or seed.description, 420),
            (N_("Advantages over what exists"), seed.advantages, 260),
            (N_("Open challenges"), seed.open_challenges, 220),
            (N_("Expected of partners"), seed.expected_partner, 160),
        ),
    }


def _connects(writing: _Writing, reasons: ReasonsOut) -> Content:
    aligned = [each for each in reasons.requirements if each.support and each.wanted and not each.confidential]
    shown = aligned[: writing.few(_PAIRS)]
    shared = [*reasons.keywords, *reasons.field_codes]
    # As they are written in the public texts of the need.
    written = [each.text for term in reasons.shared_terms for each in term.need if each.field not in CONFIDENTIAL]
    terms = [text for text in dict.fromkeys(map(clean, written)) if wide(text) > _A_SIGN]
    return {
        "heading": writing.say(N_("What connects them")),
        "need": writing.say(N_("What the need asks for")),
        "seed": writing.say(N_("What the seed says of it")),
        "pairs": [[writing.short(each.text, 200), writing.short(each.support[0].text, 200)] for each in shown],
        "more": writing.more(len(aligned) - len(shown)),
        "facts": writing.facts(
            (N_("Shared keywords and fields"), listed(writing.wording, shared)),
            (N_("Shared words"), listed(writing.wording, terms[:12])),
        ),
        "nothing": writing.say(N_("Nothing was found that both texts plainly say.")),
    }


def _open(writing: _Writing, reasons: ReasonsOut) -> Content:
    say, wording = writing.say, writing.wording
    questions = [
        say(N_("Not spoken of by the seed: %(text)s"), text=each.text)
        for each in reasons.not_addressed
        if not each.confidential
    ]
    if reasons.trl.fit == "below":
        wanted, offered = reasons.trl.wanted, reasons.trl.offered
        questions.append(
            say(N_("TRL %(wanted)s is wanted, the seed is at %(offered)s."), wanted=wanted, offered=offered)
        )
    elif reasons.trl.fit == "unknown":
        questions.append(say(N_("The TRL of one side is not stated.")))
    if reasons.region.fit == "other":
        questions.append(say(N_("The seed is of another region than preferred.")))
    for each in reasons.cooperation.asked:
        if each.offer != "offered":
            message = N_("%(kind)s: not offered so far.") if each.offer == "not_offered" else N_(
                "%(kind)s: not stated whether it is offered."
            )  # fmt: skip
            questions.append(say(message, kind=wording.word(each.kind)))
    if reasons.other_language:
        questions.append(say(N_("The texts are in different languages, which makes the comparison less certain.")))
    shown = questions[: writing.few(_QUESTIONS)]
    return {
        "heading": say(N_("Open questions")),
        "questions": [writing.short(question, 180) for question in shown],
        "more": writing.more(len(questions) - len(shown)),
        "nothing": say(N_("None was found in the texts.")),
    }


def _stands(writing: _Writing, steps: StepsOut) -> Content:
    say, wording = writing.say, writing.wording
    last = steps.steps[-writing.few(_STEPS) :]
    return {
        "heading": say(N_("Where it stands, and what is next")),
        "status": {"label": say(STATUS), "text": wording.word(steps.status)},
        "waiting": [
            {
                "who": wording.word(wait.side),
                "what": wording.word(wait.awaited),
                "due": say(N_("until %(day)s"), day=wording.day(wait.due_on)),
                "late": say(N_("overdue")) if wait.overdue else None,
            }
            for wait in steps.waiting
        ],
        "next": say(N_("Next")),
        "nothing": say(N_("Nobody is waited for.")),
        "so_far": say(N_("So far")),
        "steps": [{"day": wording.day(day_of(step.taken)), "what": wording.word(step.step)} for step in last],
        "notes": say(N_("Notes of the meeting")),
    }
