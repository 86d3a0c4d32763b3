"""`enmusubi calibrate` and `enmusubi learn`: fit to reviews, say why, and go back by one command."""

import pytest
from sqlalchemy import select, update

from enmusubi.app.database import Database
from enmusubi.app.models import Fitting
from enmusubi.app.reviewed import Model
from enmusubi.matching.encoder import load_encoder
from tests.app.planted import WORDS_MATTER, best_by, first, plant
from tests.cli.conftest import Command
from tests.running import Home


@pytest.fixture
def tiny(home: Home) -> Model:
    """What rankings by the configured model are known by."""
    encoder = load_encoder(str(home.model), home.folder)
    return Model(encoder.model, encoder.revision)


@pytest.fixture
def reviewed(own: Database, tiny: Model) -> None:
    """Thirty needs, reviewed by coordinators to whom words matter more than to the default."""
    with own.session() as session:
        plant(session, 30, best_by(WORDS_MATTER, 4), model=tiny)
        session.commit()


def _unwrapped(table: str) -> str:
    """What a table says, whatever the width of its columns."""
    return " ".join(table.replace("│", " ").split())


def _in_use(own: Database) -> set[str]:
    with own.session() as session:
        return set(session.scalars(select(Fitting.name).where(Fitting.in_use)))


def test_without_reviews_all_stays_as_shipped(command: Command, own: Database) -> None:
    """Status 0, the reason, and what is in use."""
    learned, calibrated = command("learn"), command("calibrate")
    assert (learned.status, calibrated.status) == (0, 0), (learned, calibrated)
    assert "evidence-1 stays: too few reviews: 0 reviewed candidates" in learned.out
    assert "evidence-1 is in use" in learned.out
    assert "default-1 stays: too few reviews: 0 reviewed entries of 0 needs" in calibrated.out
    assert "default-1 is in use" in calibrated.out
    assert _in_use(own) == set()


@pytest.mark.usefixtures("reviewed")
def test_a_dry_run_shows_what_would_be(command: Command, own: Database) -> None:
    """Weights and figures, and that nothing was changed."""
    shown = command("learn", "--dry-run")
    assert shown.status == 0, shown
    for part in ("reviewed candidates", "300", "hub_across", "replaces evidence-1", "nothing was changed"):
        assert part in shown.out
    assert "nothing was changed" in command("calibrate", "--dry-run").out
    assert _in_use(own) == set()


@pytest.mark.usefixtures("reviewed")
def test_what_is_learned_is_used_until_it_is_switched_off(command: Command, own: Database) -> None:
    """The policy ranks and is named, doctor says so, and --off brings the default back and keeps it."""
    shown = command("learn")
    (name,) = _in_use(own)
    assert name.startswith("learned-")
    assert f"{name} is in use" in shown.out
    assert "no calibration of their own yet" in shown.out
    told = f"ranked by {name}, how sure by default-1, which was fitted to the rankings of evidence-1"
    assert told in _unwrapped(command("doctor").out)
    off = command("learn", "--off")
    assert f"evidence-1 is in use (was {name}, which stays kept)" in off.out
    assert _in_use(own) == set()
    assert "evidence-1 is in use (as it was before)" in command("learn", "--off").out
    with own.session() as session:
        assert session.scalars(select(Fitting.name)).all() == [name]


@pytest.mark.usefixtures("reviewed")
def test_a_calibration_is_used_until_it_is_switched_off(command: Command, own: Database) -> None:
    """The same for probabilities, with the figures on needs held out."""
    shown = command("calibrate")
    (name,) = _in_use(own)
    assert name.startswith("reviews-")
    for part in (f"{name} replaces default-1", "120 / 180", "mean log loss on needs held out", f"{name} is in use"):
        assert part in shown.out
    assert f"ranked by evidence-1, how sure by {name}" in command("doctor").out
    assert f"default-1 is in use (was {name}, which stays kept)" in command("calibrate", "--off").out
    assert _in_use(own) == set()


@pytest.mark.usefixtures("reviewed")
def test_an_altered_policy_stops_no_ranking(command: Command, own: Database) -> None:
    """The shipped one ranks, one line says so, and doctor names the command; run, it mends."""
    command("learn")
    with own.session() as session:
        session.execute(update(Fitting).values(content="{"))
        session.commit()
    command("cluster", "create", "北星湾")
    shown = command("match", "--text", "kerbstone", "--cluster", "北星湾")
    assert shown.status == 0, shown
    assert "policy evidence-1" in shown.out
    assert "run `enmusubi learn --off` to go back to the shipped one" in _unwrapped(command("doctor").out)
    command("learn", "--off")
    assert command("match", "--text", "kerbstone", "--cluster", "北星湾").status == 0


@pytest.mark.usefixtures("reviewed")
def test_doctor_tells_what_is_kept_for_another_model(command: Command, own: Database) -> None:
    """What was learned with another model is named, and does not rank."""
    command("learn")
    (name,) = _in_use(own)
    with own.session() as session:
        session.execute(update(Fitting).values(revision="another"))
        session.commit()
    told = _unwrapped(command("doctor").out)
    assert "ranked by evidence-1" in told
    assert f"{name} is kept for another model" in told


def test_nothing_of_the_texts_is_printed(command: Command, own: Database, tiny: Model) -> None:
    """Counts alone: no title of a need, no name of a coordinator."""
    with own.session() as session:
        plant(session, 20, first(2), model=tiny)
        session.commit()
    for name in ("learn", "calibrate"):
        shown = command(name)
        assert shown.status == 0
        for text in ("Concrete that does not freeze", "Collagen", "person", "Cluster"):
            assert text not in shown.out + shown.errors


def test_off_and_dry_run_together_are_refused(command: Command, own: Database) -> None:
    """One or the other."""
    for name in ("learn", "calibrate"):
        refused = command(name, "--off", "--dry-run")
        assert refused.status == 2
        assert "one of --off and --dry-run" in refused.errors
    assert _in_use(own) == set()
