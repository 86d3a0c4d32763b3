"""What two entries state: met, not met, or unknown."""

import pytest

from enmusubi.matching.reasons.facts import Stated, cooperation, region_fit, trl_fit


@pytest.mark.parametrize(
    ("wanted", "offered", "fit", "short"),
    [(5, 6, "meets", 0), (5, 5, "meets", 0), (6, 3, "below", 3), (None, 4, "unknown", 0), (4, None, "unknown", 0)],
)
def test_readiness(wanted: int | None, offered: int | None, fit: str, short: int) -> None:
    """A seed meets what is wanted, is some levels below, or one side does not say."""
    found = trl_fit(Stated(wanted_trl=wanted, trl=offered))
    assert (found.fit, found.short_by) == (fit, short)


@pytest.mark.parametrize(
    ("preferred", "offered", "fit"),
    [
        ((), ("北星湾地域",), "open"),
        (("北星湾",), ("遠牧地域", "北星湾地域"), "same"),
        (("Hokuseiwan region",), ("HOKUSEIWAN",), "same"),
        (("北星湾地域",), ("遠牧地域",), "other"),
        (("北星湾地域",), (), "unknown"),
        (("Hokuseiwan",), ("北星湾地域",), "unknown"),
        (("国内",), ("北星湾地域",), "unknown"),
    ],
)
def test_regions(preferred: tuple[str, ...], offered: tuple[str, ...], fit: str) -> None:
    """Names are compared without what they are called; what cannot be compared by name is unknown, not another."""
    assert region_fit(Stated(preferred_regions=preferred, regions=offered)).fit == fit


def test_cooperation_that_is_not_mentioned_is_unknown() -> None:
    """A licence is offered or not as the seed states; other forms are offered where its sheet mentions them."""
    asked = ("licence", "joint_research", "clinical_trial", "licence")
    sheet = Stated(wanted_cooperation=asked, licensable=False, expected_partner="セルメーカーとの共同評価")
    found = cooperation(sheet)
    assert [(each.kind, each.offer) for each in found.asked] == [
        ("licence", "not_offered"),
        ("joint_research", "offered"),
        ("clinical_trial", "unknown"),
    ]
    silent = cooperation(Stated(wanted_cooperation=asked))
    assert {each.offer for each in silent.asked} == {"unknown"}
    assert cooperation(Stated(wanted_cooperation=("licence",), licensable=True)).asked[0].offer == "offered"
