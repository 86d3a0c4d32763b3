"""What was fitted to this installation's reviews: which policy ranks, which calibration says how sure."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app.errors import ConfigurationError
from enmusubi.app.models import Fitting
from enmusubi.app.reviewed import Model
from enmusubi.app.vocabulary import FittingKind
from enmusubi.matching.calibration import Calibration, shipped
from enmusubi.matching.policy import DEFAULT, Policy

logger = logging.getLogger(__name__)

SECONDS = 1.0
"""A running service takes another fitting into use within so many seconds."""

COMMANDS: Final = {FittingKind.POLICY: "learn", FittingKind.CALIBRATION: "calibrate"}
"""The command that fits each."""

_LOCK: Final = 7304  # first key of the advisory locks of commands that fit

_Fitting = TypeVar("_Fitting", Policy, Calibration)


@dataclass(frozen=True, slots=True)
class InUse:
    """The policy that ranks, and the calibration of its rankings."""

    policy: Policy
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Unusable:
    """A stored fitting that cannot be used as it stands."""

    kind: FittingKind
    name: str
    problem: str  # may quote what is stored

    @property
    def fix(self) -> str:
        """The command that mends it."""
        return f"enmusubi {COMMANDS[self.kind]} --off"

    def error(self) -> ConfigurationError:
        """What says so, with the command that mends it."""
        return ConfigurationError(
            f"the {self.kind} in use, {self.name}, cannot be used: {self.problem}; run `{self.fix}` to go back to the "
            "shipped one"
        )


def in_use(session: Session, model: Model) -> InUse:
    """What is in use: what was fitted to this model's rankings and switched on, else what is shipped.

    Raises ConfigurationError, naming the command that mends it, for a stored fitting that cannot be used as it stands.
    """
    used, unusable = usable(session, model)
    if unusable:
        raise unusable[0].error()
    return used


def usable(session: Session, model: Model) -> tuple[InUse, Sequence[Unusable]]:
    """What is in use, with what is shipped in the place of stored fittings that cannot be used; and those."""
    stored = _stored(session, model)
    unusable: list[Unusable] = []
    policy = _read(stored, FittingKind.POLICY, Policy.from_json, unusable) or DEFAULT
    calibration = _read(stored, FittingKind.CALIBRATION, Calibration.from_json, unusable)
    # One that was fitted to the rankings of another policy says nothing of this one's.
    fits = calibration is not None and calibration.policy == policy.name
    return InUse(policy, calibration if calibration is not None and fits else shipped()), unusable


def ranking_policy(session: Session, model: Model) -> Policy:
    """The policy that ranks; ConfigurationError for a stored one that cannot be used as it stands."""
    unusable: list[Unusable] = []
    policy = _read(_stored(session, model), FittingKind.POLICY, Policy.from_json, unusable)
    if unusable:
        raise unusable[0].error()
    return policy or DEFAULT


def of_other_models(session: Session, model: Model) -> Sequence[str]:
    """Names of what is switched on and waits for the model to whose rankings it was fitted."""
    names = select(Fitting.name).where(Fitting.in_use, ~_fitted_to(model)).order_by(Fitting.kind)
    return session.scalars(names).all()


def _stored(session: Session, model: Model) -> dict[str, tuple[str, str]]:
    """Name and content of what is in use, by its kind."""
    query = select(Fitting.kind, Fitting.name, Fitting.content).where(Fitting.in_use, _fitted_to(model))
    return {row.kind: (row.name, row.content) for row in session.execute(query)}


def _fitted_to(model: Model) -> ColumnElement[bool]:
    return and_(Fitting.model == model.name, Fitting.revision == model.revision)


def _read(
    stored: Mapping[str, tuple[str, str]],
    kind: FittingKind,
    from_json: Callable[[str], _Fitting],
    unusable: list[Unusable],
) -> _Fitting | None:
    """The fitting of a kind, None where there is none; one that cannot be used is added to `unusable`."""
    if kind not in stored:
        return None
    name, content = stored[kind]
    try:
        fitting = from_json(content)
    except (ValueError, TypeError, RecursionError) as error:
        unusable.append(Unusable(kind, name, str(error)))
        return None
    if fitting.name != name:
        unusable.append(Unusable(kind, name, f"it names itself {fitting.name}"))
        return None
    return fitting


class Following:
    """What is in use for a model, asked for again when it may be out of date; safe for concurrent requests.

    A stored fitting that cannot be used does not stop the service: what is shipped ranks, and the log says so once.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._known: InUse | None = None
        self._asked = 0.0
        self._told: frozenset[Unusable] = frozenset()

    def current(self, session: Session) -> InUse:
        """What is in use, at most SECONDS old."""
        with self._lock:
            now = time.monotonic()
            if self._known is None or now - self._asked >= SECONDS:
                self._known, unusable = usable(session, self._model)
                self._asked = now
                self._tell(frozenset(unusable))
            return self._known

    def _tell(self, unusable: frozenset[Unusable]) -> None:
        for one in unusable - self._told:
            # Not why: that would quote what is stored.
            logger.error(
                "the %s in use, %s, cannot be used: what is shipped is; `enmusubi doctor` says why", one.kind, one.name
            )
        self._told = unusable


def take_turns(session: Session) -> None:
    """Wait until no other command fits or switches off, and keep others waiting until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK, 1)))


def keep(session: Session, kind: FittingKind, fitting: Policy | Calibration, model: Model, *, use: bool) -> None:
    """Keep what was fitted to a model's rankings under its name; it comes into use, or what is shipped does.

    Call `take_turns` before.
    """
    switch_off(session, kind)
    statement = insert(Fitting).values(
        kind=kind,
        name=fitting.name,
        content=fitting.as_json(),
        model=model.name,
        revision=model.revision,
        in_use=use,
    )
    # The same name is the same fitting: what was fitted to the same reviews again.
    kept = {name: statement.excluded[name] for name in ("content", "model", "revision", "in_use")}
    session.execute(statement.on_conflict_do_update(index_elements=[Fitting.name], set_=kept))


def switch_off(session: Session, kind: FittingKind) -> str | None:
    """Go back to what is shipped; the name of what was in use. It stays kept. Call `take_turns` before."""
    return session.scalar(
        update(Fitting).where(Fitting.kind == kind, Fitting.in_use).values(in_use=False).returning(Fitting.name)
    )
