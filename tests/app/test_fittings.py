"""What is fitted to reviews comes into use where it proves better, says why, and goes away by one command."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from enmusubi.app import fittings, refitting, reviewed
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.fittings import InUse
from enmusubi.app.main import create_app
from enmusubi.app.models import Fitting, Match, MatchStep, Review
from enmusubi.app.reviewed import Model
from enmusubi.app.vocabulary import FittingKind, MatchStatus, ReasonCode, Side, Step
from enmusubi.matching.calibration import shipped
from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.policy import DEFAULT
from enmusubi.matching.reranking import policy_name
from tests.app.conftest import People, Serve, people_of, started
from tests.app.factories import Person, a_seed
from tests.app.planted import MODEL, WORDS_MATTER, as_stated, best_by, first, plant, review
from tests.app.test_reranking import Marked

WORDS = "frost resistant kerbstone"


@pytest.fixture
def crowd(committed: Database, serve: Serve) -> People:
    """People of every role on a database where commits are real, and a running service."""
    client = serve()
    with committed.session() as session:
        return people_of(client, session)


def _within_a_second(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + fittings.SECONDS + 0.5
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _kept(session: Session) -> list[tuple[str, bool]]:
    found = session.execute(select(Fitting.name, Fitting.in_use).order_by(Fitting.name))
    return [(row.name, row.in_use) for row in found]


# --- learning


def test_nothing_is_learned_from_few_reviews(session: Session) -> None:
    """The default ranks, the reason says how many are needed, and nothing is kept."""
    plant(session, 3, best_by(WORDS_MATTER))
    outcome = refitting.learn(session, MODEL).learned
    assert not outcome.adopted
    assert "too few reviews: 30 reviewed candidates and 3 entries" in outcome.reason
    assert "at least 100 and 15 are needed" in outcome.reason
    assert fittings.in_use(session, MODEL) == InUse(DEFAULT, shipped())
    assert _kept(session) == []


def test_what_coordinators_go_by_is_learned(session: Session) -> None:
    """A policy that proves better is kept by its name and ranks; learned again, it is the same one."""
    plant(session, 30, best_by(WORDS_MATTER))
    outcome = refitting.learn(session, MODEL).learned
    assert outcome.adopted
    assert outcome.policy.weights["terms"] > 1.0
    used = fittings.in_use(session, MODEL)
    assert used.policy == outcome.policy
    assert _kept(session) == [(outcome.policy.name, True)]
    assert refitting.learn(session, MODEL).learned.policy == outcome.policy
    assert _kept(session) == [(outcome.policy.name, True)]


def test_reviews_that_confirm_the_default_leave_it(session: Session) -> None:
    """What was learned is kept for the record, the default ranks, and the reason gives the figures."""
    plant(session, 30, best_by(DEFAULT))
    outcome = refitting.learn(session, MODEL).learned
    assert not outcome.adopted
    assert "no significant gain" in outcome.reason
    assert outcome.proposed is not None
    assert _kept(session) == [(outcome.proposed.name, False)]
    assert fittings.in_use(session, MODEL).policy == DEFAULT


def test_later_reviews_can_bring_the_default_back(session: Session) -> None:
    """Learned is from all reviews anew: what they no longer bear out is switched off."""
    plant(session, 30, best_by(WORDS_MATTER))
    learned = refitting.learn(session, MODEL).learned.policy
    session.execute(update(Match).values(model="another"))
    outcome = refitting.learn(session, MODEL)
    assert (outcome.learned.decisions, outcome.read.other_rankings) == (0, 300)
    assert fittings.in_use(session, MODEL).policy == DEFAULT
    assert _kept(session) == [(learned.name, False)]


def test_a_dry_run_changes_nothing(session: Session) -> None:
    """Neither learning nor calibrating writes on a dry run, whatever comes of it."""
    plant(session, 30, best_by(WORDS_MATTER))
    assert refitting.learn(session, MODEL, dry_run=True).learned.adopted
    assert refitting.calibrate(session, MODEL, dry_run=True).fitted is not None
    assert _kept(session) == []


@pytest.mark.parametrize("reason", list(ReasonCode))
def test_only_dismissals_for_want_of_relevance_teach(session: Session, reason: ReasonCode) -> None:
    """A dismissal for another reason is left out and counted."""
    plant(session, 1, first(2), reason=reason)
    read = reviewed.decisions(session, MODEL)
    teaches = reason in ("out_of_scope", "benefit_unclear", "scientific_concern")
    assert (len(read.decisions), read.other_reasons) == ((10, 0) if teaches else (2, 8))
    assert sum(one.accepted for one in read.decisions) == 2


def test_rankings_of_another_kind_do_not_teach(session: Session) -> None:
    """Another model's similarities, and the scores of the first release, are on another scale."""
    plant(session, 1, first(2), model=Model("another", "1"))
    plant(session, 1, first(2), model=Model(MODEL.name, "another"))
    plant(session, 1, first(2), policy="cosine-1")
    read = reviewed.decisions(session, MODEL)
    assert (len(read.decisions), read.other_rankings) == (0, 30)


def test_a_changed_mind_counts_once(session: Session) -> None:
    """Of one coordinator's verdicts on a match the last one counts; a part that is missing counts as 0."""
    caller = plant(session, 1, first(1))
    match = session.scalars(select(Match).order_by(Match.score.desc())).first()
    assert match is not None
    match.parts = {name: part for name, part in match.parts.items() if name != "terms"}
    review(session, match, caller, ReasonCode.OUT_OF_SCOPE)
    session.flush()
    found = reviewed.decisions(session, MODEL).decisions
    assert len(found) == 10
    assert not any(one.accepted for one in found)
    changed = next(one for one in found if one.candidate == f"seed {match.seed_id}")
    assert changed.parts["terms"] == 0.0


# --- calibrating


def test_few_reviews_do_not_calibrate(session: Session) -> None:
    """Too few needs, or one kind of verdict alone, are no ground for probabilities."""
    plant(session, 9, first(3))
    assert "too few reviews: 90 reviewed entries of 9 needs" in refitting.calibrate(session, MODEL).reason
    plant(session, 20, first(10), model=Model("another", "1"))
    alone = refitting.calibrate(session, Model("another", "1"))
    assert not alone.adopted
    assert "200 of them worth a look" in alone.reason
    assert alone.fitted is None
    assert fittings.in_use(session, MODEL).calibration == shipped()


def test_probabilities_follow_reviews(session: Session) -> None:
    """Where coordinators find more worth a look than the shipped calibration states, probabilities rise."""
    plant(session, 40, first(6))
    outcome = refitting.calibrate(session, MODEL)
    assert outcome.adopted
    assert outcome.held_out is not None
    assert outcome.held_out.fitted < outcome.held_out.before
    used = fittings.in_use(session, MODEL)
    assert (used.policy, used.calibration) == (DEFAULT, outcome.fitted)
    assert used.calibration.name == f"reviews-{used.calibration.digest[:8]}"
    assert used.calibration.lists == 40
    ranked = outcome.judged.lists[0].ranked
    higher, lower = (one.probabilities(ranked)[3].value for one in (used.calibration, shipped()))
    assert higher > lower
    assert refitting.calibrate(session, MODEL).fitted == outcome.fitted
    assert _kept(session) == [(used.calibration.name, True)]


def test_a_calibration_that_states_worse_is_kept_and_not_used(session: Session) -> None:
    """Reviews that come out as the shipped one states leave it; the reason gives both losses."""
    plant(session, 20, as_stated(1))
    outcome = refitting.calibrate(session, MODEL)
    assert not outcome.adopted
    assert outcome.fitted is not None
    assert "default-1 stays: probabilities would be worse" in outcome.reason
    assert fittings.in_use(session, MODEL).calibration == shipped()
    assert _kept(session) == [(outcome.fitted.name, False)]


def test_reviews_are_read_as_lists(session: Session) -> None:
    """A need's ten best stored matches, best first; what nobody or as many reviewed either way has no grade."""
    caller = plant(session, 1, first(2), reason=ReasonCode.TOO_EARLY)
    other = plant(session, 1, first(2), reason=ReasonCode.ALREADY_IN_CONTACT)
    matches = session.scalars(select(Match).order_by(Match.need_id, Match.score.desc())).all()
    review(session, matches[0], other, ReasonCode.IP_POSITION)  # one of each kind
    session.execute(delete(Review).where(Review.match_id == matches[5].id))
    shared = ("need_id", "cluster_id", "score", "model", "revision", "precision", "policy")
    extra = Match(**{name: getattr(matches[0], name) for name in shared}, seed_id=matches[10].seed_id)
    extra.parts = {**matches[0].parts, "similarity": {"value": -1.0, "weight": 1.0, "estimated": False}}
    session.add(extra)
    session.flush()
    review(session, extra, caller, None)  # an eleventh entry
    session.flush()
    judged = reviewed.judged_lists(session, MODEL, DEFAULT.name)
    assert [list(one.grades) for one in judged.lists] == [
        [None, 1, 0, 0, 0, None, 0, 0, 0, 0],
        [1, 1, *[None] * 8],
    ]
    assert judged.other_reasons == 8
    scores = [entry.score for entry in judged.lists[0].ranked]
    assert scores == sorted(scores, reverse=True)
    assert reviewed.judged_lists(session, MODEL, "another").other_rankings == 21


def test_answers_of_the_sides_are_verdicts_too(session: Session) -> None:
    """Accepting says worth a look, declining as the reason says; the last answer of a side counts, silence does not."""
    plant(session, 1, first(2), reason=ReasonCode.TOO_EARLY)
    session.execute(delete(Review))
    matches = session.scalars(select(Match).order_by(Match.score.desc())).all()

    def answer(place: int, side: Side, step: Step, reason: ReasonCode | None = None) -> None:
        statuses = {"before": MatchStatus.INTRODUCED, "after": MatchStatus.INTRODUCED}
        of = {"match_id": matches[place].id, "cluster_id": matches[place].cluster_id}
        session.add(MatchStep(side=side, step=step, reason=reason, **of, **statuses))
        session.flush()

    answer(0, Side.NEED, Step.ACCEPT)
    answer(1, Side.NEED, Step.EXPRESS_INTEREST)
    answer(1, Side.NEED, Step.CLOSE, ReasonCode.OUT_OF_SCOPE)
    answer(2, Side.SEED, Step.DECLINE, ReasonCode.CAPACITY)
    answer(3, Side.SEED, Step.DECLINE, ReasonCode.SCIENTIFIC_CONCERN)
    answer(4, Side.CLUSTER, Step.CLOSE, ReasonCode.OUT_OF_SCOPE)
    answer(5, Side.CLUSTER, Step.LAPSE, ReasonCode.NO_ANSWER)
    judged = reviewed.judged_lists(session, MODEL, DEFAULT.name)
    assert [list(one.grades) for one in judged.lists] == [[1, 0, None, 0, *[None] * 6]]
    learned = reviewed.decisions(session, MODEL)
    assert sorted(decision.accepted for decision in learned.decisions) == [False, False, True]
    assert learned.other_reasons == 1


def test_a_reranker_changes_nothing_of_it(session: Session) -> None:
    """Probabilities are told from the ranking before the reranker's, and its part is not learned."""
    plant(session, 1, first(2), policy=policy_name(DEFAULT.name, Marked()))
    before = reviewed.judged_lists(session, MODEL, DEFAULT.name)
    for place, match in enumerate(session.scalars(select(Match).order_by(Match.score)).all()):
        part = {"value": place / 10, "weight": 1.0, "estimated": False}
        match.parts = {**match.parts, "reranker": part}
        match.score += place / 10
    session.flush()
    assert reviewed.judged_lists(session, MODEL, DEFAULT.name) == before
    assert [list(one.grades) for one in before.lists] == [[1, 1, *[0] * 8]]
    assert len(reviewed.decisions(session, MODEL).decisions) == 10


def test_a_calibration_of_another_policy_is_not_used(session: Session) -> None:
    """It was fitted to other scores: the shipped one says how sure until there are reviews of the new rankings."""
    plant(session, 30, best_by(WORDS_MATTER, 4))
    own = refitting.calibrate(session, MODEL).fitted
    assert own is not None
    assert fittings.in_use(session, MODEL).calibration == own
    learned = refitting.learn(session, MODEL).learned.policy
    assert fittings.in_use(session, MODEL) == InUse(learned, shipped())
    fittings.switch_off(session, FittingKind.POLICY)
    assert fittings.in_use(session, MODEL) == InUse(DEFAULT, own)


def test_probabilities_are_fitted_to_the_policy_in_use(session: Session) -> None:
    """Reviews of the rankings of another policy are left out; those of this one make a calibration that names it."""
    plant(session, 30, best_by(WORDS_MATTER))
    learned = refitting.learn(session, MODEL).learned.policy
    before = refitting.calibrate(session, MODEL)
    assert (before.fitted, before.judged.other_rankings) == (None, 300)
    plant(session, 20, first(5), policy=learned.name)
    outcome = refitting.calibrate(session, MODEL)
    assert outcome.adopted
    used = fittings.in_use(session, MODEL)
    assert (used.policy, used.calibration) == (learned, outcome.fitted)
    assert used.calibration.policy == learned.name


# --- what is kept


@pytest.mark.parametrize(
    ("kind", "command", "content"),
    [
        (FittingKind.POLICY, "enmusubi learn --off", DEFAULT.as_json().replace("0.5", "0.7", 1)),
        (FittingKind.POLICY, "enmusubi learn --off", "{"),
        (FittingKind.POLICY, "enmusubi learn --off", DEFAULT.as_json()),
        (FittingKind.CALIBRATION, "enmusubi calibrate --off", shipped().as_json().replace("-3.", "-2.", 1)),
        (FittingKind.CALIBRATION, "enmusubi calibrate --off", "[]"),
    ],
)
def test_a_fitting_that_was_altered_is_refused(session: Session, kind: FittingKind, command: str, content: str) -> None:
    """What cannot be read, or does not fit its digest or its name, is named with the command that mends it."""
    session.add(
        Fitting(kind=kind, name="reviews-1", content=content, model=MODEL.name, revision=MODEL.revision, in_use=True)
    )
    session.flush()
    with pytest.raises(ConfigurationError, match=f"^the {kind} in use, reviews-1, cannot be used: .*{command}"):
        fittings.in_use(session, MODEL)
    assert fittings.switch_off(session, kind) == "reviews-1"
    assert fittings.in_use(session, MODEL) == InUse(DEFAULT, shipped())
    assert fittings.switch_off(session, kind) is None


def test_fitting_anew_mends_an_altered_one(session: Session) -> None:
    """Neither command needs what it replaces, and the same name is written over."""
    plant(session, 30, best_by(WORDS_MATTER, 4))
    for kind, fit in ((FittingKind.CALIBRATION, refitting.calibrate), (FittingKind.POLICY, refitting.learn)):
        fit(session, MODEL)
        session.execute(update(Fitting).where(Fitting.kind == kind).values(content="{"))
        with pytest.raises(ConfigurationError):
            fittings.in_use(session, MODEL)
        fit(session, MODEL)
        fittings.in_use(session, MODEL)


def test_two_at_once_take_turns(committed: Database) -> None:
    """Commands that fit at the same time end one after the other, with one fitting of each kind in use."""
    with committed.session() as session:
        plant(session, 30, best_by(WORDS_MATTER, 4))
        session.commit()
    failures: list[BaseException] = []

    def run(fit: Callable[[Session, Model], object]) -> None:
        try:
            with committed.session() as session:
                fit(session, MODEL)
                session.commit()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(fit,)) for fit in (refitting.calibrate, refitting.learn) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with committed.session() as session:
        kinds = session.scalars(select(Fitting.kind).where(Fitting.in_use).order_by(Fitting.kind)).all()
        assert kinds[-1:] == [FittingKind.POLICY]
        assert len(set(kinds)) == len(kinds)


# --- a running service


def _source(person: Person) -> tuple[str, str]:
    reply = person.post("/match", {"text": WORDS})
    assert reply.status_code == 200, reply.text
    source = reply.json()["provenance"]
    return source["policy"], source["calibration"]


def test_a_running_service_takes_up_what_was_fitted(committed: Database, crowd: People) -> None:
    """Within a second matches are ranked by the learned policy and say so; switched off, by the default again."""
    with committed.session() as session:
        a_seed(session, crowd.cluster, crowd.university.organisation, title=WORDS)
        session.commit()
    assert _source(crowd.company) == ("evidence-1", "default-1")
    with committed.session() as session:
        plant(session, 30, best_by(WORDS_MATTER))
        learned = refitting.learn(session, MODEL).learned.policy
        session.commit()
    assert _within_a_second(lambda: _source(crowd.company) == (learned.name, "default-1"))
    need = crowd.company.create("/needs", {"title": WORDS})
    ranked = need["matches"]["ranking"][0]
    match = crowd.coordinator.read(f"/matches/{ranked['match']}")
    assert match["provenance"]["policy"] == learned.name
    assert {part["name"]: part["weight"] for part in match["parts"]}["terms"] == learned.weights["terms"]
    with committed.session() as session:
        fittings.switch_off(session, FittingKind.POLICY)
        session.commit()
    assert _within_a_second(lambda: _source(crowd.company) == ("evidence-1", "default-1"))


@pytest.mark.parametrize(("kind", "command"), [(FittingKind.CALIBRATION, "calibrate"), (FittingKind.POLICY, "learn")])
@pytest.mark.parametrize("content", ["{}", "altered"])
def test_an_altered_fitting_does_not_stop_a_running_service(
    committed: Database, crowd: People, caplog: pytest.LogCaptureFixture, kind: FittingKind, command: str, content: str
) -> None:
    """What is shipped ranks in its place and is named; log, readiness and `doctor` say so, until it is switched off."""
    _source(crowd.company)
    name = "hush-1"
    shipped_one = replace(shipped() if kind is FittingKind.CALIBRATION else DEFAULT, name=name)
    altered = shipped_one.as_json().replace("-3.", "-2.", 1).replace("0.5", "0.75", 1)
    with committed.session() as session:
        given = altered if content == "altered" else content
        session.add(
            Fitting(kind=kind, name=name, content=given, model=MODEL.name, revision=MODEL.revision, in_use=True)
        )
        session.commit()
    time.sleep(fittings.SECONDS)
    for _ in range(3):
        assert _source(crowd.company) == ("evidence-1", "default-1")
        time.sleep(fittings.SECONDS / 2)
    told = [record.getMessage() for record in caplog.records if record.name == "enmusubi.app.fittings"]
    assert told == [f"the {kind} in use, {name}, cannot be used: what is shipped is; `enmusubi doctor` says why"]
    ready = crowd.company.client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert f"enmusubi {command} --off" in ready.json()["fittings"]
    assert name not in ready.text
    with committed.session() as session:
        fittings.switch_off(session, kind)
        session.commit()
    assert crowd.company.client.get("/health/ready").json()["fittings"] == "ok"


def test_what_was_fitted_to_another_model_is_kept_for_it(session: Session) -> None:
    """It neither ranks nor says how sure another model's rankings are, and is in use again with its own."""
    plant(session, 30, best_by(WORDS_MATTER, 4))
    learned = refitting.learn(session, MODEL).learned.policy
    plant(session, 20, first(5), policy=learned.name)
    own = refitting.calibrate(session, MODEL).fitted
    assert fittings.in_use(session, MODEL) == InUse(learned, own)  # type: ignore[arg-type]
    for other in (Model("another", MODEL.revision), Model(MODEL.name, "another")):
        assert fittings.in_use(session, other) == InUse(DEFAULT, shipped())
        assert fittings.ranking_policy(session, other) == DEFAULT
        assert fittings.of_other_models(session, other) == [own.name, learned.name]  # type: ignore[union-attr]
    assert fittings.of_other_models(session, MODEL) == []


def test_a_service_with_another_model_ranks_as_shipped(
    committed: Database, service: Database, settings: Settings
) -> None:
    """What was learned with one encoder does not rank with another, whose parts are on another scale."""
    with committed.session() as session:
        plant(session, 30, best_by(WORDS_MATTER))
        assert refitting.learn(session, MODEL).learned.adopted
        session.commit()
    other = HashEncoder(dimension=32, model="another")
    with started(create_app(settings, other, service)) as client:
        with committed.session() as session:
            people = people_of(client, session)
            a_seed(session, people.cluster, encoder=other, title=WORDS)
            session.commit()
        assert _source(people.company) == ("evidence-1", "default-1")
