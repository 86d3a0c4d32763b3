"""What lies in a part of the map, as far as its reader may see it: entries, or of very many their numbers."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import MapDrawing, MapPosition, Need, Seed
from enmusubi.matching.encoder import Role

MOST: Final = 2_000
"""So many entries are shown each; of more their numbers, by cells."""
CELLS: Final = (48, 32)
"""Columns and rows of cells."""
MOST_LISTED: Final = 50_000
"""Lines of the table."""
_SIDES: Final[tuple[tuple[Role, Kind], ...]] = (("seed", Seed), ("need", Need))
# As the indicators gather fields: the letter of IPC, CPC, KAKENHI and JSIC, else the first number.
_SECTION: Final = r"^([^:]+:(?:[A-Z]|[0-9]{1,2}))"

Place = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class MapQuery(BaseModel):
    """A part of the map, and what of it."""

    model_config = ConfigDict(extra="forbid")

    left: Place | None = None
    right: Place | None = None
    bottom: Place | None = None
    top: Place | None = None
    kind: Literal["seed", "need"] | None = None
    field: Annotated[str, Field(max_length=40)] | None = Field(default=None, description="A section, such as IPC:C")

    @field_validator("kind", "field", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        """A filter of a form that is left empty is none."""
        return None if value == "" else value

    @property
    def is_whole(self) -> bool:
        """Whether no part is named, or not all its sides."""
        return None in (self.left, self.right, self.bottom, self.top)


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the plane."""

    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True, slots=True)
class Dot:
    """One entry; its section is None where it names no field."""

    kind: Role
    id: uuid.UUID
    title: str | None
    section: str | None
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Entries of one side near each other: how many, their middle, and the section that most of them name."""

    kind: Role
    count: int
    section: str | None
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SectionCount:
    """How many seeds and needs of the shown part name a section first."""

    section: str | None
    seeds: int
    needs: int


@dataclass(frozen=True, slots=True)
class MapView:
    """The shown part: its entries, or their numbers by cells where there are more than MOST."""

    drawn: datetime.datetime | None
    whole: Frame | None
    """Where what its reader may see of the part lies, of whichever side and field; None where that is nothing."""
    sections: Sequence[SectionCount]
    dots: Sequence[Dot]
    cells: Sequence[Cell]

    @property
    def count(self) -> int:
        """How many entries lie in the part."""
        return sum(each.seeds + each.needs for each in self.sections)


def view(session: Session, caller: Caller, query: MapQuery) -> MapView:
    """What of the map of one's cluster lies in a part of it: nothing but what one may see."""
    drawn = session.scalar(select(MapDrawing.drawn).where(MapDrawing.cluster_id == caller.cluster_id))
    whole, counted = _counted(session, caller, query)
    inside = sum(each.seeds + each.needs for each in counted)
    dots: Sequence[Dot] = ()
    cells: Sequence[Cell] = ()
    if inside > MOST and whole is not None:
        frame = whole if query.is_whole else Frame(query.left, query.right, query.bottom, query.top)  # type: ignore[arg-type]
        cells = _cells(session, caller, query, frame)
    elif inside:
        dots = _dots(session, caller, query, MOST)
    return MapView(drawn, whole, counted, dots, cells)


def listed(session: Session, caller: Caller, query: MapQuery) -> Sequence[Dot]:
    """All entries of a part, for its table."""
    return _dots(session, caller, query, MOST_LISTED)


def _visible(caller: Caller, kind: Kind, *columns: Any) -> Select[Any]:
    """Positions of published entries that the caller may see, on the map of their own cluster."""
    seen = visibility.seeds_visible_to(caller) if kind is Seed else visibility.needs_visible_to(caller)
    joined = MapPosition.seed_id == Seed.id if kind is Seed else MapPosition.need_id == Need.id
    return (
        select(*columns)
        .select_from(MapPosition)
        .join(kind, and_(joined, MapPosition.cluster_id == caller.cluster_id))
        .where(seen, visibility.published(kind), visibility.in_cluster(kind, caller.cluster_id))
    )


def section_of(kind: Kind) -> ColumnElement[str | None]:
    """The section of the field that an entry names first."""
    return func.substring(kind.field_codes[1], _SECTION)


def _within(query: MapQuery) -> ColumnElement[bool]:
    return and_(MapPosition.x.between(query.left, query.right), MapPosition.y.between(query.bottom, query.top))


def _chosen(chosen: Select[Any], kind: Kind, query: MapQuery) -> Select[Any]:
    if not query.is_whole:
        chosen = chosen.where(_within(query))
    if query.field is not None:
        chosen = chosen.where(section_of(kind) == query.field)
    return chosen


def _sides(query: MapQuery) -> list[tuple[Role, Kind]]:
    return [(role, kind) for role, kind in _SIDES if query.kind in (None, role)]


def _counted(session: Session, caller: Caller, query: MapQuery) -> tuple[Frame | None, Sequence[SectionCount]]:
    """Where it lies, and how much of it by section; one look at each side."""
    frames: list[Frame] = []
    counts: dict[str | None, dict[str, int]] = {}
    for role, kind in _SIDES:
        section = section_of(kind).label("section")
        columns = (
            section,
            func.count().label("inside"),
            func.min(MapPosition.x), func.max(MapPosition.x), func.min(MapPosition.y), func.max(MapPosition.y),
        )  # fmt: skip
        chosen = _visible(caller, kind, *columns)
        # Of a part nothing beyond it is looked at.
        chosen = chosen if query.is_whole else chosen.where(_within(query))
        for found in session.execute(chosen.group_by(section)):
            frames.append(Frame(*found[2:]))
            if query.kind in (None, role) and query.field in (None, found.section):
                counts.setdefault(found.section, {})[role] = found.inside
    whole = None
    if frames:
        whole = Frame(
            min(each.left for each in frames), max(each.right for each in frames),
            min(each.bottom for each in frames), max(each.top for each in frames),
        )  # fmt: skip
    sections = [SectionCount(name, each.get("seed", 0), each.get("need", 0)) for name, each in counts.items()]
    return whole, sorted(sections, key=lambda each: (each.section is None, each.section or ""))


def _dots(session: Session, caller: Caller, query: MapQuery, most: int) -> list[Dot]:
    dots: list[Dot] = []
    for role, kind in _sides(query):
        columns = (kind.public_id, kind.title, section_of(kind).label("section"), MapPosition.x, MapPosition.y)
        chosen = _chosen(_visible(caller, kind, *columns), kind, query).order_by(kind.public_id)
        dots += [Dot(role, *found) for found in session.execute(chosen.limit(most - len(dots)))]
    return dots


def _cells(session: Session, caller: Caller, query: MapQuery, frame: Frame) -> list[Cell]:
    wide, high = (frame.right - frame.left) or 1.0, (frame.top - frame.bottom) or 1.0
    cells: list[Cell] = []
    for role, kind in _sides(query):
        column = func.floor((MapPosition.x - frame.left) / wide * CELLS[0]).label("column")
        row = func.floor((MapPosition.y - frame.bottom) / high * CELLS[1]).label("row")
        most_named = func.mode().within_group(func.coalesce(section_of(kind), ""))
        columns = (func.count(), most_named, func.avg(MapPosition.x), func.avg(MapPosition.y))
        chosen = _chosen(_visible(caller, kind, *columns), kind, query).group_by(column, row).order_by(column, row)
        cells += [Cell(role, found[0], found[1] or None, found[2], found[3]) for found in session.execute(chosen)]
    return cells
