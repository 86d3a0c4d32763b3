"""Which change of an entry answers which reason for a "no": one table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from enmusubi.app.vocabulary import EntryChange, IprStatus, ReasonCode, Side, Stage

EntrySide = Literal["seed", "need"]
Facts = Mapping[str, Any]
"""What the database says of an entry: levels, rights, days and digests of its public texts."""

_MATURITY: Final = (
    EntryChange.TRL_RAISED,
    EntryChange.STAGE_RAISED,
    EntryChange.WANTED_TRL_LOWERED,
    EntryChange.DEADLINE_MOVED,
)
MENDED_BY: Final[Mapping[ReasonCode, tuple[EntryChange, ...]]] = MappingProxyType(
    {
        ReasonCode.TOO_EARLY: _MATURITY,
        ReasonCode.IP_POSITION: (EntryChange.IPR_ADVANCED, EntryChange.LICENSABLE, EntryChange.TRANSFERABLE),
        ReasonCode.BENEFIT_UNCLEAR: (EntryChange.TEXT_REVISED,),
        ReasonCode.COMMERCIAL_ROUTE_UNCLEAR: (EntryChange.TEXT_REVISED,),
        ReasonCode.DESCRIPTION_UNCLEAR: (EntryChange.TEXT_REVISED,),
        ReasonCode.SCIENTIFIC_CONCERN: (EntryChange.TEXT_REVISED,),
        # A clearer description does not move an entry into the scope; another subject may.
        ReasonCode.OUT_OF_SCOPE: (EntryChange.SUBJECT_REVISED,),
        ReasonCode.CAPACITY: (EntryChange.OPENED_AGAIN, EntryChange.READY_AGAIN, EntryChange.DEADLINE_MOVED),
        ReasonCode.INTERNAL_PROJECT: (EntryChange.OPENED_AGAIN, EntryChange.READY_AGAIN),
        ReasonCode.TERMS: (
            EntryChange.TERMS_CHANGED,
            EntryChange.DEADLINE_MOVED,
            EntryChange.LICENSABLE,
            EntryChange.TRANSFERABLE,
            EntryChange.READY_AGAIN,
        ),
        ReasonCode.NO_ANSWER: (EntryChange.HEARD_AGAIN,),
        # Never by themselves: nothing that an entry says could answer them.
        ReasonCode.COMPLIANCE: (),
        ReasonCode.ALREADY_IN_CONTACT: (),
    }
)

_OF_SEEDS: Final = frozenset(
    {
        EntryChange.TRL_RAISED,
        EntryChange.STAGE_RAISED,
        EntryChange.IPR_ADVANCED,
        EntryChange.LICENSABLE,
        EntryChange.TRANSFERABLE,
    }
)
_OF_NEEDS: Final = frozenset({EntryChange.WANTED_TRL_LOWERED, EntryChange.DEADLINE_MOVED, EntryChange.TERMS_CHANGED})
_OF_WHO_REFUSED: Final = frozenset({EntryChange.OPENED_AGAIN, EntryChange.READY_AGAIN, EntryChange.HEARD_AGAIN})
_OF_WHO_WAS_REFUSED: Final = frozenset({EntryChange.TEXT_REVISED, EntryChange.SUBJECT_REVISED})

TOLD: Final = _OF_WHO_REFUSED | {EntryChange.TERMS_CHANGED}
"""Changes that are told when they happen: what they are of is confidential, or no property of the entry."""

_VALUE_OF: Final[Mapping[EntryChange, str]] = MappingProxyType(
    {
        EntryChange.TRL_RAISED: "trl",
        EntryChange.STAGE_RAISED: "stage",
        EntryChange.WANTED_TRL_LOWERED: "wanted_trl",
        EntryChange.IPR_ADVANCED: "ipr_status",
        EntryChange.LICENSABLE: "licensable",
        EntryChange.TRANSFERABLE: "transferable",
        EntryChange.TEXT_REVISED: "text",
        EntryChange.SUBJECT_REVISED: "subject",
        EntryChange.DEADLINE_MOVED: "deadline",
    }
)
_TOLD_WITH_VALUES: Final = frozenset(
    {
        EntryChange.TRL_RAISED,
        EntryChange.STAGE_RAISED,
        EntryChange.WANTED_TRL_LOWERED,
        EntryChange.IPR_ADVANCED,
        EntryChange.DEADLINE_MOVED,
    }
)
_STAGES: Final = tuple(str(stage) for stage in Stage)
_RIGHTS: Final = tuple(str(status) for status in IprStatus)


@dataclass(frozen=True, slots=True)
class Since:
    """The change that answers a "no": of which entry, and from which value to which where these are public."""

    change: EntryChange
    entry: EntrySide
    before: int | str | None = None
    after: int | str | None = None

    def stored(self) -> dict[str, Any]:
        """As it is kept with the match."""
        return {"change": str(self.change), "entry": self.entry, "before": self.before, "after": self.after}


def answers(reason: ReasonCode, refused_by: Side, entry: EntrySide) -> tuple[EntryChange, ...]:
    """The changes of the entry of one side that would answer a "no" of that side, the other or the cluster."""
    return tuple(change for change in MENDED_BY[reason] if _is_of(change, refused_by, entry))


def mended(
    reason: ReasonCode,
    refused_by: Side,
    then: Mapping[EntrySide, Facts],
    now: Mapping[EntrySide, Facts],
    told: Mapping[EntrySide, Collection[EntryChange]],
) -> Since | None:
    """What has answered a "no" since, None where nothing has.

    Compared with what the entries were when it was said, so that a value that came back to what it was is no change.
    """
    sides: tuple[EntrySide, EntrySide] = ("seed", "need")
    for change in MENDED_BY[reason]:
        for entry in sides:
            if not _is_of(change, refused_by, entry):
                continue
            if change in TOLD:
                if change in told.get(entry, ()):
                    return Since(change, entry)
            elif _has_happened(change, then[entry], now[entry]):
                name = _VALUE_OF[change]
                shown = (then[entry].get(name), now[entry].get(name)) if change in _TOLD_WITH_VALUES else ()
                return Since(change, entry, *shown)
    return None


def _is_of(change: EntryChange, refused_by: Side, entry: EntrySide) -> bool:
    if change in _OF_SEEDS:
        return entry == "seed"
    if change in _OF_NEEDS:
        return entry == "need"
    if refused_by is Side.CLUSTER:
        return True
    return (Side(entry) is refused_by) == (change in _OF_WHO_REFUSED)


def _has_happened(change: EntryChange, then: Facts, now: Facts) -> bool:
    before, after = then.get(_VALUE_OF[change]), now.get(_VALUE_OF[change])
    match change:
        case EntryChange.TRL_RAISED:
            return after is not None and (before is None or after > before)
        case EntryChange.STAGE_RAISED:
            return _place(_STAGES, after) > _place(_STAGES, before)
        case EntryChange.IPR_ADVANCED:
            # From nothing said to "none" is no step forward.
            return _place(_RIGHTS, after) > max(_place(_RIGHTS, before), 0)
        case EntryChange.WANTED_TRL_LOWERED:
            return before is not None and (after is None or after < before)
        case EntryChange.LICENSABLE | EntryChange.TRANSFERABLE:
            return after is True and before is not True
        case EntryChange.DEADLINE_MOVED:
            # ISO days, which sort as they are.
            return before is not None and (after is None or after > before)
        case _:
            return bool(before != after)


def _place(steps: tuple[str, ...], value: str | None) -> int:
    return -1 if value is None else steps.index(value)
