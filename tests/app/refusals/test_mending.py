"""Which change answers which "no": the table, without a database."""

from typing import Any

import pytest

from enmusubi.app.refusals.mending import MENDED_BY, EntrySide, Facts, Since, answers, mended
from enmusubi.app.refusals.words import ADVICE, REASONS, since_words
from enmusubi.app.vocabulary import EntryChange, ReasonCode, Side

SEED: dict[str, Any] = {
    "trl": 3, "stage": "lab_tested", "ipr_status": "applied", "licensable": None, "transferable": False,
    "subject": "s", "text": "t",
}  # fmt: skip
NEED: dict[str, Any] = {"wanted_trl": 6, "deadline": "2030-01-31", "subject": "s", "text": "t"}


def _mended(
    reason: ReasonCode,
    by: Side = Side.NEED,
    *,
    seed: Facts | None = None,
    need: Facts | None = None,
    told: dict[EntrySide, set[EntryChange]] | None = None,
) -> Since | None:
    now: dict[EntrySide, Facts] = {"seed": {**SEED, **(seed or {})}, "need": {**NEED, **(need or {})}}
    return mended(reason, by, {"seed": SEED, "need": NEED}, now, told or {})


@pytest.mark.parametrize(
    ("reason", "seed", "need", "change"),
    [
        (ReasonCode.TOO_EARLY, {"trl": 4}, {}, EntryChange.TRL_RAISED),
        (ReasonCode.TOO_EARLY, {"stage": "on_the_market"}, {}, EntryChange.STAGE_RAISED),
        (ReasonCode.TOO_EARLY, {}, {"wanted_trl": 4}, EntryChange.WANTED_TRL_LOWERED),
        (ReasonCode.TOO_EARLY, {}, {"deadline": None}, EntryChange.DEADLINE_MOVED),
        (ReasonCode.TERMS, {}, {"deadline": "2030-02-01"}, EntryChange.DEADLINE_MOVED),
        (ReasonCode.IP_POSITION, {"ipr_status": "granted"}, {}, EntryChange.IPR_ADVANCED),
        (ReasonCode.IP_POSITION, {"licensable": True}, {}, EntryChange.LICENSABLE),
        (ReasonCode.IP_POSITION, {"transferable": True}, {}, EntryChange.TRANSFERABLE),
        (ReasonCode.DESCRIPTION_UNCLEAR, {"text": "u"}, {}, EntryChange.TEXT_REVISED),
        (ReasonCode.OUT_OF_SCOPE, {"subject": "u"}, {}, EntryChange.SUBJECT_REVISED),
    ],
)
def test_a_change_answers_its_reason(reason: ReasonCode, seed: Facts, need: Facts, change: EntryChange) -> None:
    """The change that the reason waits for, named with the entry that it is of."""
    since = _mended(reason, seed=seed, need=need)
    assert since is not None
    assert (since.change, since.entry) == (change, "seed" if seed else "need")


@pytest.mark.parametrize(
    ("reason", "seed", "need"),
    [
        (
            ReasonCode.TOO_EARLY,
            {"trl": 2, "stage": "concept", "text": "u"},
            {"wanted_trl": 7, "deadline": "2029-01-31"},
        ),
        (ReasonCode.TOO_EARLY, {"trl": None, "stage": None}, {}),
        (ReasonCode.IP_POSITION, {"ipr_status": "none", "trl": 9}, {}),
        (ReasonCode.OUT_OF_SCOPE, {"text": "u"}, {}),
        (ReasonCode.DESCRIPTION_UNCLEAR, {"trl": 9}, {"text": "u"}),
        (ReasonCode.ALREADY_IN_CONTACT, {"trl": 9, "text": "u", "subject": "u"}, {"text": "u"}),
        (ReasonCode.COMPLIANCE, {"trl": 9, "text": "u", "subject": "u", "ipr_status": "granted"}, {"text": "u"}),
    ],
)
def test_other_changes_do_not(reason: ReasonCode, seed: Facts, need: Facts) -> None:
    """What went the other way, what is of one's own text, what nothing can answer."""
    assert _mended(reason, seed=seed, need=need) is None


def test_a_text_is_that_of_who_was_refused() -> None:
    """A university's "no" to a need's description waits for the need's text; a coordinator's for either."""
    revised = {"text": "u"}
    assert _mended(ReasonCode.DESCRIPTION_UNCLEAR, Side.SEED, seed=revised) is None
    assert _mended(ReasonCode.DESCRIPTION_UNCLEAR, Side.SEED, need=revised) is not None
    assert _mended(ReasonCode.DESCRIPTION_UNCLEAR, Side.CLUSTER, need=revised) is not None
    assert _mended(ReasonCode.DESCRIPTION_UNCLEAR, Side.CLUSTER, seed=revised) is not None


def test_readiness_is_that_of_who_refused() -> None:
    """Who had no capacity says so; the other side cannot say it in their place."""
    ready = {EntryChange.READY_AGAIN}
    assert _mended(ReasonCode.CAPACITY, Side.NEED, told={"need": ready}) == Since(EntryChange.READY_AGAIN, "need")
    assert _mended(ReasonCode.CAPACITY, Side.NEED, told={"seed": ready}) is None
    assert _mended(ReasonCode.NO_ANSWER, Side.SEED, told={"seed": {EntryChange.HEARD_AGAIN}}) is not None
    assert _mended(ReasonCode.NO_ANSWER, Side.SEED, told={"need": {EntryChange.HEARD_AGAIN}}) is None


def test_every_reason_and_change_is_in_the_tables() -> None:
    """A new reason is decided upon, and every change has its words in both languages."""
    assert set(MENDED_BY) == set(REASONS) == set(ReasonCode)
    assert set(ADVICE) == set(EntryChange)
    for change in EntryChange:
        words = since_words(Since(change, "seed", 3, 5).stored())
        assert words.ja != words.en
        assert "{" not in words.ja + words.en


def test_an_owner_is_told_of_changes_of_its_own_entry() -> None:
    """Of a seed: not what only the need could change."""
    assert answers(ReasonCode.TOO_EARLY, Side.NEED, "seed") == (EntryChange.TRL_RAISED, EntryChange.STAGE_RAISED)
    assert answers(ReasonCode.CAPACITY, Side.NEED, "seed") == ()


def test_in_words() -> None:
    """With values where they are public."""
    since = Since(EntryChange.TRL_RAISED, "seed", 3, 5)
    assert since_words(since.stored()).en == "back since TRL rose from 3 to 5"
    assert since_words(since.stored()).ja == "TRLが3から5に上がったため再提案"
    unsaid = Since(EntryChange.IPR_ADVANCED, "seed", None, "granted")
    assert since_words(unsaid.stored()).en == "back since its rights went from not stated to granted"
