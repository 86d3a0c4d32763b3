"""The whole path of an introduction over HTTP, once for each ending."""

from sqlalchemy.orm import Session

from enmusubi.app.introducing.reopening import reopen
from enmusubi.app.models import Match
from enmusubi.app.vocabulary import ReasonCode, Step
from tests.app.clocks import MovedClock, tick_of
from tests.app.introducing.conftest import SECRET, Pair
from tests.conftest import RolledBackDatabase


def test_an_agreement_with_its_outcomes(pair: Pair) -> None:
    """Shortlisted, asked, two yeses, disclosed, met, negotiated, agreed, and what came of it, twice."""
    company, university, coordinator = pair.company, pair.university, pair.coordinator
    assert company.organisation is not None
    assert university.organisation is not None

    pair.shortlist()
    assert pair.status(company) == pair.status(university) == "suggested"
    assert pair.steps(coordinator)["waiting"][0]["awaited"] == "introduction"

    pair.take(coordinator, "introduce", note="Both are at the fair in May.")
    assert pair.steps(company)["legal_steps"] == pair.steps(university)["legal_steps"] == ["accept", "decline"]
    assert {wait["on"] for wait in pair.steps(company)["waiting"]} == {"you", "other_side"}

    pair.take(university, "accept", message="We have a cold room.", note="Ask our patent office first.")
    pair.take(company, "accept", discloses=["requirements"], message="We would like to see it.")
    assert pair.status(company) == pair.status(university) == "accepted"
    seen = pair.steps(university)
    assert company.organisation.name not in str(seen)
    assert "Ask our patent office first." in str(seen)
    assert "Ask our patent office first." not in str(pair.steps(company))
    assert "We have a cold room." in str(pair.steps(company))
    assert "Both are at the fair in May." not in str(seen)

    preview = coordinator.get(f"/matches/{pair.match}/disclosure")
    told = {item["told"]: item["content"] for item in preview.json()["items"]}
    assert told["seed"]["organisation"]["name"] == company.organisation.name
    assert told["seed"]["confidential"] == {"requirements": f"{SECRET} at -30 °C"}
    assert told["need"]["organisation"]["name"] == university.organisation.name
    assert told["need"]["researchers"] == [{"name": "架空 花子", "orcid": None}]
    assert pair.ask(coordinator, "disclosure", {}, f'"{"0" * 64}"').status_code == 412
    assert pair.ask(coordinator, "disclosure", {}, preview.headers["ETag"]).status_code == 201
    (to_university,) = university.read(f"/matches/{pair.match}/disclosed")["items"]
    (to_company,) = company.read(f"/matches/{pair.match}/disclosed")["items"]
    assert (to_university["content"], to_company["content"]) == (told["seed"], told["need"])
    assert len(coordinator.read(f"/matches/{pair.match}/disclosed")["items"]) == 2

    pair.take(university, "meeting", on="2027-02-03")
    pair.take(coordinator, "meeting", on="2027-03-03")
    pair.take(company, "negotiation")
    pair.take(coordinator, "agreement")
    outcome = {"kind": "joint_research", "amount_yen": 3_000_000, "agreed_on": "2027-04-01"}
    pair.take(university, "outcomes", **outcome, starts_on="2027-05-01", ends_on="2028-03-31")
    pair.take(coordinator, "outcomes", kind="patent_application", agreed_on="2028-02-01")
    assert [each["kind"] for each in company.read(f"/matches/{pair.match}/outcomes")["items"]] == [
        "joint_research",
        "patent_application",
    ]
    progress = company.read(f"/needs/{pair.need}/progress")
    (match,) = progress["matches"]
    assert (match["status"], match["waiting"], progress["waiting_on_you"]) == ("outcome", [], 0)
    assert [step["step"] for step in match["steps"]] == [
        *("introduce", "accept", "accept", "disclose", "meet", "meet", "negotiate", "agree"),
        *("report_outcome", "report_outcome"),
    ]


def test_the_university_s_no_which_is_taken_up_again(pair: Pair, session: Session, clock: MovedClock) -> None:
    """A no has a reason that the company reads, stays readable, and may be taken up again."""
    pair.introduce()
    pair.take(pair.company, "accept")
    assert pair.ask(pair.university, "decline", {"message": "No."}).status_code == 422
    pair.take(pair.university, "decline", reason="too_early", message="In a year.", note="We lack people.")
    told = pair.steps(pair.company)
    assert told["status"] == "declined"
    assert told["waiting"] == []
    last = told["steps"][-1]
    assert (last["by"], last["reason"], last["message"], last["note"]) == (
        "other_side",
        "too_early",
        "In a year.",
        None,
    )
    assert pair.steps(pair.coordinator)["steps"][-1]["note"] == "We lack people."
    refused = pair.ask(pair.company, "accept")
    assert (refused.status_code, refused.json()["legal_steps"]) == (409, [])

    reopen(session, session.get_one(Match, pair.row.id), ReasonCode.TOO_EARLY, clock)
    session.commit()
    assert pair.status(pair.company) == pair.status(pair.university) == "suggested"
    pair.introduce()
    assert len(pair.steps(pair.coordinator)["waiting"]) == 2, "both are asked anew"


def test_the_company_s_silence(pair: Pair, database: RolledBackDatabase, clock: MovedClock) -> None:
    """Who does not answer is reminded, then the coordinator is told, then the administrator; then it is over."""
    pair.introduce()
    pair.take(pair.university, "accept")
    (wait,) = pair.steps(pair.company)["waiting"]
    assert (wait["on"], wait["overdue"]) == ("you", False)

    clock.pass_working_days(10)
    assert not tick_of(database.for_service, clock)
    assert pair.company.read(f"/needs/{pair.need}/progress")["overdue"] == 1
    told = []
    for _ in range(4):
        clock.pass_working_days(5)
        told.append(tick_of(database.for_service, clock))
        assert not tick_of(database.for_service, clock), "everything once"
        if len(told) == 3:
            (raised,) = pair.administrator.read("/work")["items"]
            assert (raised["match"], raised["overdue"]) == (pair.match, True)
    assert told == [{Step.REMIND: 1}, {Step.ESCALATE: 1}, {Step.RAISE: 1}, {Step.LAPSE: 1}]
    for person in (pair.company, pair.university, pair.coordinator):
        last = pair.steps(person)["steps"][-1]
        assert (last["step"], last["reason"], last["by"]) == ("lapse", "no_answer", "service")
        assert pair.status(person) == "declined"
    assert pair.ask(pair.company, "accept").status_code == 409
