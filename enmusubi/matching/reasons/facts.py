"""What two entries state about themselves, set side by side; what one does not state is unknown, never a no."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Fit = Literal["meets", "below", "unknown"]
Region = Literal["same", "other", "open", "unknown"]
Offer = Literal["offered", "not_offered", "unknown"]

_SUFFIX: Final = re.compile(r"(?:地域|地方|エリア|region|area)$")
_WIDE: Final = re.compile(r"(?:日本)?国内|日本|全国|海外|世界|問わない|japan|nationwide|anywhere|any|worldwide")
_JAPANESE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
# How a seed's sheet says that it offers a form of cooperation; a form it does not mention is unknown.
_MENTIONED: Final = {
    "joint_research": r"共同(?:研究|開発|評価|試験|実証)|joint (?:research|development|evaluation)",
    "commissioned_research": r"受託(?:研究|試験|分析)|委託研究|commissioned research|contract research",
    "technical_consultation": r"技術相談|技術指導|consult(?:ation|ing)|technical advice",
    "academic_guidance": r"学術指導|academic guidance",
    "licence": r"実施許諾|ライセンス|licen[cs](?:e|ing)",
    "clinical_trial": r"治験|臨床試験|clinical trial",
}


@dataclass(frozen=True, slots=True)
class Stated:
    """What the two entries state beside their texts; None and empty where they state nothing."""

    wanted_trl: int | None = None
    trl: int | None = None
    preferred_regions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    wanted_cooperation: tuple[str, ...] = ()
    licensable: bool | None = None
    transferable: bool | None = None
    expected_partner: str | None = None


@dataclass(frozen=True, slots=True)
class TrlFit:
    """The readiness wanted and that of the seed; `short_by` levels below where it is below."""

    wanted: int | None
    offered: int | None
    fit: Fit
    short_by: int


@dataclass(frozen=True, slots=True)
class RegionFit:
    """The regions preferred and those of the seed; `open` where the need prefers none."""

    preferred: tuple[str, ...]
    offered: tuple[str, ...]
    fit: Region
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CooperationFit:
    """One form of cooperation that the need asks for, and whether the seed offers it."""

    kind: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class Cooperation:
    """Forms of cooperation asked for, and what the seed states of its rights and of the partner it expects."""

    asked: tuple[CooperationFit, ...]
    licensable: bool | None
    transferable: bool | None
    expected_partner: str | None


def trl_fit(stated: Stated) -> TrlFit:
    """Whether the seed is as ready as wanted (ISO 16290 levels)."""
    wanted, offered = stated.wanted_trl, stated.trl
    if wanted is None or offered is None:
        return TrlFit(wanted, offered, "unknown", 0)
    short = max(0, wanted - offered)
    return TrlFit(wanted, offered, "below" if short else "meets", short)


def region_fit(stated: Stated) -> RegionFit:
    """Whether the seed is where the need would like it.

    A preference for a whole country, or names in different scripts, cannot be compared by name: they are unknown.
    """
    preferred, offered = stated.preferred_regions, stated.regions
    if not preferred:
        return RegionFit(preferred, offered, "open", ())
    names = {_place(region) for region in preferred}
    shared = tuple(region for region in offered if _place(region) in names)
    if shared:
        return RegionFit(preferred, offered, "same", shared)
    scripts = {bool(_JAPANESE.search(region)) for region in (*preferred, *offered)}
    comparable = bool(offered) and not any(map(_WIDE.fullmatch, names)) and len(scripts) == 1
    return RegionFit(preferred, offered, "other" if comparable else "unknown", ())


def cooperation(stated: Stated) -> Cooperation:
    """Every form of cooperation asked for, in order, with what the seed says of it."""
    asked = tuple(CooperationFit(kind, _offer(kind, stated)) for kind in dict.fromkeys(stated.wanted_cooperation))
    return Cooperation(asked, stated.licensable, stated.transferable, stated.expected_partner)


def _offer(kind: str, stated: Stated) -> Offer:
    if kind == "licence" and stated.licensable is not None:
        return "offered" if stated.licensable else "not_offered"
    pattern = _MENTIONED.get(kind)
    said = pattern is not None and re.search(pattern, stated.expected_partner or "", re.IGNORECASE)
    return "offered" if said else "unknown"


def _place(region: str) -> str:
    return _SUFFIX.sub("", unicodedata.normalize("NFKC", region).casefold().strip()).strip()
